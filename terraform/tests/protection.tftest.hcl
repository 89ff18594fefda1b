# What a destroy may take. That it takes nothing of a protected environment is shown in tests/protected.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do
}

run "protection_is_on_unless_taken_off" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.claims[0].deletion_protection_enabled && !aws_s3_bucket.lake.force_destroy && terraform_data.protection["lake"].input
    error_message = "A destroy would take the table, the lake's objects, or all else."
  }
}

run "protection_can_be_taken_off" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_dynamodb_table.claims[0].deletion_protection_enabled && aws_s3_bucket.lake.force_destroy && !terraform_data.protection["lake"].input
    error_message = "An environment to try things in cannot be torn down."
  }
}

# Its deletion would be refused, when the stream and the function are gone already.
run "the_protected_table_stays_where_the_function_goes" {
  command = plan

  variables {
    transform = false
  }

  assert {
    condition     = aws_dynamodb_table.claims[0].deletion_protection_enabled
    error_message = "`transform = false` breaks off half-way."
  }
}

run "the_event_log_is_protected_too" {
  command = plan

  variables {
    event_log     = true
    event_log_zip = "versions.tf"
  }

  assert {
    condition     = aws_dynamodb_table.event_log[0].deletion_protection_enabled && terraform_data.protection["event log"].input
    error_message = "A destroy would take the event log."
  }
}

run "another_workspace_is_refused" {
  command = plan

  variables {
    environment = "prod"
  }

  expect_failures = [var.environment]
}
