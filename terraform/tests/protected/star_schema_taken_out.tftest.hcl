# Taking the star out of a protected environment must fail and leave all that is there. tests/tools/protected says whether it did.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "default"
  region          = "eu-central-1"
  function_zip    = "versions.tf" # any file will do
  star_schema_zip = "versions.tf"
  alarm_email     = "oncall@example.com"
}

run "both" {
  variables {
    star_schema = true
  }
}

run "one_taken_out" {
  variables {
    lake        = true
    star_schema = false
  }
}
