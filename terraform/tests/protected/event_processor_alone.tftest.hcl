# A protected event processor: the destroy that ends the test must fail and leave all of it. tests/tools/protected says whether it did.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment         = "default"
  region              = "eu-central-1"
  function_zip        = "versions.tf" # any file will do
  event_processor_zip = "versions.tf"
  alarm_email         = "oncall@example.com"
  lake                = false
  event_processor     = true
}

run "an_event_processor_alone" {}
