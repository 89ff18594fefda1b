# The function: what it is, what it is told, what it may do.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do

  deletion_protection = false
}

run "the_function_may_claim_and_log_and_nothing_else" {
  assert {
    condition = jsondecode(module.transform[0].policy.policy).Statement == [
      {
        Sid      = "Claim"
        Effect   = "Allow"
        Action   = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"]
        Resource = [module.claims["lake"].table.arn]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${module.transform[0].log_group.arn}:*"]
      },
    ]
    error_message = "The function may do other things, or touch other things, than its table and its log."
  }

  assert {
    condition     = module.transform[0].policy.role == module.transform[0].role.name && module.transform[0].function.role == module.transform[0].role.arn
    error_message = "The function has another role than the one whose policy was read."
  }

  assert {
    condition     = jsondecode(module.transform[0].role.assume_role_policy).Statement == [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
    error_message = "Others than Lambda may take the function's role."
  }
}

run "no_role_has_a_boundary_unasked" {
  assert {
    condition     = module.transform[0].role.permissions_boundary == null && module.delivery[0].role.permissions_boundary == null
    error_message = "A role has a boundary that nobody named."
  }
}

run "every_role_has_the_boundary" {
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = module.transform[0].role.permissions_boundary == var.permissions_boundary && module.delivery[0].role.permissions_boundary == var.permissions_boundary
    error_message = "A role is made without the boundary, which the account may refuse."
  }
}

run "the_function_is_told_exactly_the_settings" {
  assert {
    condition = module.transform[0].function.environment[0].variables == tomap({
      EVENT_CACHE_TABLE_NAME = module.claims["lake"].table.name
      EVENT_CACHE_TTL_HOURS  = "24"
      EVENT_IDENTITY         = "event"
      PARTITION_KEYS         = "event_type,event_subtype,year,month,day"
      EVENT_YEARS            = "2000-2099"
      ON_CLAIM_FAILURE       = "retry"
      ON_DIFFERING_DUPLICATE = "drop"
      BATCH_PARTITIONS_MAX   = "500"
    })
    error_message = "The function's environment is not its settings."
  }
}

run "the_function_is_told_what_is_set" {
  variables {
    claim_hours            = 48
    event_identity         = "uuid"
    event_fields           = ["id", "name", "ts"]
    event_years            = "2020-2039"
    event_types            = ["account:created", "login"]
    on_claim_failure       = "deliver"
    on_differing_duplicate = "fail"

    active_partitions_quota = 2500
    partition_keys          = ["event_type", "year"]
  }

  assert {
    condition = module.transform[0].function.environment[0].variables == tomap({
      EVENT_CACHE_TABLE_NAME = module.claims["lake"].table.name
      EVENT_CACHE_TTL_HOURS  = "48"
      EVENT_IDENTITY         = "uuid"
      EVENT_FIELDS           = "id,name,ts"
      PARTITION_KEYS         = "event_type,year"
      EVENT_YEARS            = "2020-2039"
      EVENT_TYPES            = "account:created,login"
      ON_CLAIM_FAILURE       = "deliver"
      ON_DIFFERING_DUPLICATE = "fail"
      BATCH_PARTITIONS_MAX   = "2500"
    })
    error_message = "A setting does not reach the function."
  }
}

run "the_function_runs_as_it_is_built" {
  assert {
    condition = (
      tolist(module.transform[0].function.architectures) == tolist(["arm64"]) &&
      module.transform[0].function.runtime == "provided.al2023" &&
      module.transform[0].function.handler == "bootstrap" &&
      module.transform[0].function.filename == var.function_zip
    )
    error_message = "The function is not what `make build` builds."
  }

  assert {
    condition     = module.transform[0].function.source_code_hash == filebase64sha256(var.function_zip)
    error_message = "A new zip would not be noticed."
  }

  assert {
    condition     = module.transform[0].function.timeout == 240 && module.transform[0].function.timeout < 300
    error_message = "Firehose waits 300 s; the function must have given up by then."
  }

  assert {
    condition     = module.transform[0].function.reserved_concurrent_executions == -1
    error_message = "Concurrency is limited unasked, which turns bursts into error objects."
  }
}

run "the_function_logs_json_into_a_group_that_expires" {
  assert {
    condition = (
      module.transform[0].function.logging_config[0].log_format == "JSON" &&
      module.transform[0].function.logging_config[0].application_log_level == "INFO" &&
      module.transform[0].function.logging_config[0].log_group == module.transform[0].log_group.name &&
      module.transform[0].log_group.name == "/aws/lambda/${module.transform[0].function.function_name}" &&
      module.transform[0].log_group.retention_in_days == 30
    )
    error_message = "The function's log is not JSON, is elsewhere, is not at INFO, or is kept for ever."
  }
}

run "a_stream_calls_a_published_version_by_its_alias" {
  assert {
    condition     = module.transform[0].function.publish && module.transform[0].alias.function_version == module.transform[0].function.version
    error_message = "The alias does not point at a published version."
  }

  assert {
    condition     = module.transform[0].alias.function_name == module.transform[0].function.function_name && module.transform[0].alias.name == "stream-${local.stream_generation}"
    error_message = "The alias is not the stream's own."
  }
}

run "a_missing_zip_is_said_before_anything_is_made" {
  command = plan

  module {
    source = "./function"
  }

  variables {
    name             = "nozzle-default-transform"
    role_name        = "nozzle-default-transform"
    description      = "Does nothing."
    zip              = "no-such.zip"
    environment      = {}
    statements       = []
    alias            = "live"
    memory_megabytes = 128
    timeout_seconds  = 60
    shared           = { permissions_boundary = null, log_level = "INFO", log_retention_days = 1, alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms" }
    advice           = { errors = "", throttled = "", slow = "" }
  }

  expect_failures = [aws_lambda_function.function]
}
