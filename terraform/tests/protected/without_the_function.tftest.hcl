# As the other one.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "default"
  region      = "eu-central-1"
}

run "the_least_that_can_be_made" {
  variables {
    transform = false
  }
}
