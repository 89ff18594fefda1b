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
    condition     = module.claims["lake"].table.deletion_protection_enabled && !module.lake_bucket.bucket.force_destroy && terraform_data.protection["lake"].input
    error_message = "A destroy would take the table, the lake's objects, or all else."
  }
}

run "protection_can_be_taken_off" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !module.claims["lake"].table.deletion_protection_enabled && module.lake_bucket.bucket.force_destroy && !terraform_data.protection["lake"].input
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
    condition     = module.claims["lake"].table.deletion_protection_enabled
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
    condition     = module.event_log[0].table.deletion_protection_enabled && terraform_data.protection["event log"].input
    error_message = "A destroy would take the event log."
  }
}

run "the_event_processor_is_protected_too" {
  command = plan

  variables {
    event_processor     = true
    event_processor_zip = "versions.tf"
  }

  assert {
    condition     = module.event_processor[0].table.deletion_protection_enabled && module.claims["event-processor"].table.deletion_protection_enabled && terraform_data.protection["event processor"].input
    error_message = "A destroy would take counters or claims."
  }
}

run "the_star_is_protected_too" {
  command = plan

  variables {
    star_schema     = true
    star_schema_zip = "versions.tf"
  }

  assert {
    condition     = !anytrue([for made in module.star_schema[0].buckets : made.bucket.force_destroy]) && terraform_data.protection["star schema"].input
    error_message = "A destroy would take packets or the star."
  }
}

run "another_workspace_is_refused" {
  command = plan

  variables {
    environment = "prod"
  }

  expect_failures = [var.environment]
}
