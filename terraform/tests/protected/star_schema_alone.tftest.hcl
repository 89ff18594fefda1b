# A protected star: the destroy that ends the test must fail and leave all of it. tests/tools/protected says whether it did.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "default"
  region          = "eu-central-1"
  function_zip    = "versions.tf" # any file will do
  star_schema_zip = "versions.tf"
  alarm_email     = "oncall@example.com"
  lake            = false
  star_schema     = true
}

run "a_star_alone" {}
