# These environments are protected, so the destroys that end the tests must fail and leave all that is there.
# tests/tools/protected says whether they did.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do
  alarm_email  = "oncall@example.com"
}

run "all_that_can_be_made" {
  variables {
    stream_source = "kinesis"
    format        = "parquet"
    event_columns = { amount = "double" }
  }
}
