# A protected environment with all that can be made: the destroy that ends the test must fail and leave all of it. tests/tools/protected says whether it did.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment          = "default"
  region               = "eu-central-1"
  function_zip         = "versions.tf" # any file will do
  event_log_zip        = "versions.tf"
  alarm_email          = "oncall@example.com"
  stream_source        = "kinesis"
  format               = "parquet"
  event_columns        = { amount = "double" }
  claim_capacity       = "auto"
  event_log            = true
  event_log_search_key = "/sensor"
  event_processor      = true
  event_processor_zip  = "versions.tf"
}

run "all_that_can_be_made" {}
