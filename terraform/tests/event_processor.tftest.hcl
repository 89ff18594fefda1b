# The event processor: its table, what its function is told and may do, what calls it, the archive, and what is set aside.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"

  override_data {
    target = data.aws_kinesis_stream.processed
    values = {
      retention_period = 72
    }
  }

  override_resource {
    target = module.event_processor[0].aws_dynamodb_table.counters
    values = {
      arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/counters"
    }
  }

  override_resource {
    target = module.claims["event-processor"].aws_dynamodb_table.claims
    values = {
      arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/own-claims"
    }
  }
}

variables {
  environment         = "default"
  region              = "eu-central-1"
  function_zip        = "versions.tf" # any file will do
  event_log_zip       = "versions.tf"
  event_processor     = true
  event_processor_zip = "versions.tf"

  deletion_protection = false
}

run "counters_are_found_by_two_keys" {
  assert {
    condition = (
      module.event_processor[0].table.hash_key == "partition_key" && module.event_processor[0].table.range_key == "sort_key" &&
      toset([for attribute in module.event_processor[0].table.attribute : "${attribute.name} ${attribute.type}"]) == toset(["partition_key S", "sort_key S"])
    )
    error_message = "The table's keys are not the texts that the function writes."
  }

  assert {
    condition     = module.event_processor[0].table.billing_mode == "PAY_PER_REQUEST" && one(module.event_processor[0].table.server_side_encryption).enabled
    error_message = "The table is not on demand, or not encrypted."
  }

  assert {
    condition     = length(module.event_processor[0].table.ttl) == 0
    error_message = "Counters expire unasked."
  }
}

run "counters_expire_where_that_is_wanted" {
  variables {
    event_processor_counter_ttl_days = 400
  }

  assert {
    condition     = one(module.event_processor[0].table.ttl).enabled && one(module.event_processor[0].table.ttl).attribute_name == "ttl" && module.event_processor[0].reader.function.environment[0].variables.COUNTER_TTL_DAYS == "400"
    error_message = "Counters do not expire by `ttl`, or the function does not write it."
  }
}

run "the_function_is_told_exactly_the_settings" {
  assert {
    condition = module.event_processor[0].reader.function.environment[0].variables == tomap({
      DYNAMODB_TABLE         = "nozzle-default-event-processor"
      ARCHIVE_PREFIX         = "event-processor/archive/"
      WINDOWS                = "hour,day"
      UNIQUE_USERS           = "sketch"
      COUNTER_SLOTS          = "1"
      ON_ENRICHMENT_FAILURE  = "retry"
      EVENT_CACHE_TABLE_NAME = "nozzle-default-event-processor-claims"
      EVENT_CACHE_TTL_HOURS  = "24"
      S3_BUCKET              = module.lake_bucket.bucket.bucket
      DEAD_LETTER_PREFIX     = "event-processor/dead-letters/"
      DLQ_URL                = module.event_processor[0].reader.dead_letters.url
    })
    error_message = "The function's environment is not its settings."
  }

  assert {
    condition     = module.event_processor[0].table.name == "nozzle-default-event-processor"
    error_message = "The function counts in another table."
  }
}

run "the_function_is_told_what_is_set" {
  variables {
    event_processor_windows               = ["day"]
    event_processor_unique_users          = "exact"
    event_processor_counter_slots         = 4
    event_processor_counter_ttl_days      = 400
    event_processor_claims                = "none"
    event_processor_assignments_table     = "assignments"
    event_processor_assignments_lookup    = "key:user,test"
    event_processor_assignment_fields     = ["id", "group", "at"]
    event_processor_experiments_table     = "experiments"
    event_processor_experiment_key        = "id"
    event_processor_on_enrichment_failure = "keep"
  }

  assert {
    condition = module.event_processor[0].reader.function.environment[0].variables == tomap({
      DYNAMODB_TABLE        = module.event_processor[0].table.name
      ARCHIVE_PREFIX        = "event-processor/archive/"
      WINDOWS               = "day"
      UNIQUE_USERS          = "exact"
      COUNTER_SLOTS         = "4"
      COUNTER_TTL_DAYS      = "400"
      ASSIGNMENTS_TABLE     = "assignments"
      ASSIGNMENTS_LOOKUP    = "key:user,test"
      ASSIGNMENT_FIELDS     = "id,group,at"
      EXPERIMENTS_TABLE     = "experiments"
      EXPERIMENT_KEY        = "id"
      ON_ENRICHMENT_FAILURE = "keep"
      S3_BUCKET             = module.lake_bucket.bucket.bucket
      DEAD_LETTER_PREFIX    = "event-processor/dead-letters/"
      DLQ_URL               = module.event_processor[0].reader.dead_letters.url
    })
    error_message = "A setting does not reach the function."
  }
}

run "the_function_may_do_its_work_and_nothing_else" {
  assert {
    condition = jsondecode(module.event_processor[0].reader.policy.policy).Statement == [
      { Sid = "Count", Effect = "Allow", Action = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"], Resource = [module.event_processor[0].table.arn] },
      { Sid = "Compare", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${module.lake_bucket.bucket.arn}/event-processor/archive/*"] },
      { Sid = "Claim", Effect = "Allow", Action = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"], Resource = [module.claims["event-processor"].table.arn] },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        Resource = [aws_kinesis_stream.source[0].arn]
      },
      {
        Sid      = "Put"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${module.lake_bucket.bucket.arn}/event-processor/dead-letters/*", "${module.lake_bucket.bucket.arn}/event-processor/archive/*", "${module.lake_bucket.bucket.arn}/aws/lambda/*"]
      },
      { Sid = "FindBucket", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [module.lake_bucket.bucket.arn] },
      { Sid = "Queue", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [module.event_processor[0].reader.dead_letters.arn] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${module.event_processor[0].reader.log_group.arn}:*"] },
    ]
    error_message = "The function may do other things than its work, or not all of it."
  }

  assert {
    condition     = module.event_processor[0].reader.policy.role == module.event_processor[0].reader.role.name && module.event_processor[0].reader.function.role == module.event_processor[0].reader.role.arn && module.event_processor[0].reader.role.name != module.transform[0].role.name
    error_message = "The function has another role than the one whose policy was read."
  }
}

run "named_tables_may_be_read_by_their_keys" {
  variables {
    event_processor_claims            = "none"
    event_processor_assignments_table = "assignments"
    event_processor_experiments_table = "experiments"
  }

  assert {
    condition = [for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement if !contains(["Read", "Put", "FindBucket", "Queue", "Log", "Compare"], statement.Sid)] == [
      { Sid = "Count", Effect = "Allow", Action = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"], Resource = [module.event_processor[0].table.arn] },
      { Sid = "Assignments", Effect = "Allow", Action = ["dynamodb:BatchGetItem"], Resource = ["arn:aws:dynamodb:eu-central-1:123456789012:table/assignments"] },
      { Sid = "Experiments", Effect = "Allow", Action = ["dynamodb:BatchGetItem"], Resource = ["arn:aws:dynamodb:eu-central-1:123456789012:table/experiments"] },
    ]
    error_message = "A table that is named cannot be read, or more may be done with it, or with claims that are not made."
  }
}

run "a_named_index_may_be_queried_and_its_table_not_read" {
  variables {
    event_processor_assignments_table  = "assignments"
    event_processor_assignments_lookup = "index:by-user"
  }

  assert {
    condition = [for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement if contains(["Assignments", "Experiments"], statement.Sid)] == [
      { Sid = "Assignments", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-central-1:123456789012:table/assignments/index/by-user"] },
    ]
    error_message = "The index cannot be queried, or more than it may be read."
  }
}

run "keys_of_the_users_may_be_used_by_their_services_alone" {
  variables {
    kinesis_stream_arn                  = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
    kinesis_kms_key_arn                 = "arn:aws:kms:eu-central-1:123456789012:key/1"
    lake_kms_key_arn                    = "arn:aws:kms:eu-central-1:123456789012:key/2"
    event_processor_assignments_table   = "assignments"
    event_processor_lookup_kms_key_arns = ["arn:aws:kms:eu-central-1:123456789012:key/3"]
  }

  assert {
    condition = [for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement if can(statement.Condition)] == [
      { Sid = "DecryptTables", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-central-1:123456789012:key/3"], Condition = { StringEquals = { "kms:ViaService" = "dynamodb.eu-central-1.amazonaws.com" } } },
      { Sid = "Encrypt", Effect = "Allow", Action = ["kms:GenerateDataKey"], Resource = [var.lake_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } } },
      { Sid = "Decrypt", Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kinesis_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "kinesis.eu-central-1.amazonaws.com" } } },
    ]
    error_message = "The function may not use a key that it needs, or may use it for more."
  }
}

run "claims_outlive_what_the_stream_keeps" {
  variables {
    claim_hours             = 2
    kinesis_retention_hours = 168
  }

  assert {
    condition     = module.event_processor[0].reader.function.environment[0].variables.EVENT_CACHE_TTL_HOURS == "168"
    error_message = "A copy that is read late is counted again."
  }

  assert {
    condition     = module.claims["event-processor"].table.hash_key == "id" && one(module.claims["event-processor"].table.ttl).attribute_name == "ttl" && one(module.claims["event-processor"].table.ttl).enabled
    error_message = "Claims cannot be written, or never go."
  }
}

run "claims_outlive_what_a_given_stream_keeps" {
  variables {
    kinesis_stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
  }

  assert {
    condition     = data.aws_kinesis_stream.processed[var.kinesis_stream_arn].name == "theirs" && module.event_processor[0].reader.function.environment[0].variables.EVENT_CACHE_TTL_HOURS == "72"
    error_message = "A copy that is read late is counted again."
  }
}

run "claims_live_longer_where_that_is_wanted" {
  variables {
    claim_hours            = 1000
    event_processor_claims = "shared"
  }

  assert {
    condition     = module.event_processor[0].reader.function.environment[0].variables.EVENT_CACHE_TTL_HOURS == "1000"
    error_message = "claim_hours is not used."
  }

  assert {
    condition = (
      keys(module.claims) == ["lake"] && module.event_processor[0].reader.function.environment[0].variables.EVENT_CACHE_TABLE_NAME == module.claims["lake"].table.name &&
      one([for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement.Resource if statement.Sid == "Claim"]) == [module.claims["lake"].table.arn]
    )
    error_message = "The lake's claims are not shared, or another table is made for nothing."
  }
}

run "shared_claims_need_a_table" {
  command = plan

  variables {
    lake                   = false
    event_processor_claims = "shared"
  }

  expect_failures = [var.event_processor_claims]
}

run "claims_that_look_the_same_are_not_shared" {
  command = plan

  variables {
    event_identity         = "uuid"
    event_processor_claims = "shared"
  }

  expect_failures = [var.event_processor_claims]
}

run "a_shards_records_are_counted_in_their_order" {
  assert {
    condition     = [for mapping in module.event_processor[0].reader.mappings : mapping.parallelization_factor] == [1]
    error_message = "Batches of one shard overtake each other, and events are lost to the counters."
  }
}

run "more_than_one_batch_of_a_shard_is_refused" {
  command = plan

  variables {
    event_processor_parallelization_factor = 2
  }

  expect_failures = [var.event_processor_parallelization_factor]
}

run "a_second_mapping_of_a_stream_is_refused" {
  command = plan

  variables {
    kinesis_stream_arn          = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
    event_processor_stream_arns = ["arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"]
  }

  expect_failures = [var.event_processor_stream_arns]
}

run "a_further_stream_that_is_named_twice_is_refused" {
  command = plan

  variables {
    kinesis_stream_arn          = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
    event_processor_stream_arns = ["arn:aws:kinesis:eu-central-1:123456789012:stream/more", "arn:aws:kinesis:eu-central-1:123456789012:stream/more"]
  }

  expect_failures = [var.event_processor_stream_arns]
}

run "several_streams_are_counted_into_one_table" {
  variables {
    event_processor_stream_arns = ["arn:aws:kinesis:eu-central-1:123456789012:stream/more"]
  }

  assert {
    condition = (
      toset([for mapping in module.event_processor[0].reader.mappings : mapping.event_source_arn]) == toset([aws_kinesis_stream.source[0].arn, "arn:aws:kinesis:eu-central-1:123456789012:stream/more"]) &&
      toset(one([for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement.Resource if statement.Sid == "Read"])) == toset([for mapping in module.event_processor[0].reader.mappings : mapping.event_source_arn])
    )
    error_message = "A stream is not read, or may not be."
  }

  assert {
    condition     = module.event_processor[0].reader.function.environment[0].variables.EVENT_CACHE_TTL_HOURS == "72"
    error_message = "A copy that is read late is counted again."
  }
}

run "the_stream_is_read_from_its_beginning_and_nothing_is_given_up_early" {
  variables {
    event_processor_batch_seconds = 30
  }

  assert {
    condition = (
      module.event_processor[0].reader.mappings["source"].event_source_arn == aws_kinesis_stream.source[0].arn &&
      module.event_processor[0].reader.mappings["source"].function_name == module.event_processor[0].reader.alias.arn &&
      module.event_processor[0].reader.mappings["source"].starting_position == "TRIM_HORIZON"
    )
    error_message = "Another stream is read, or another function called, or what came while it was made is missed."
  }

  assert {
    condition     = tolist(module.event_processor[0].reader.mappings["source"].function_response_types) == tolist(["ReportBatchItemFailures"]) && module.event_processor[0].reader.mappings["source"].bisect_batch_on_function_error
    error_message = "Lambda does not listen to which record failed, or one record fails a whole batch for good."
  }

  assert {
    condition     = module.event_processor[0].reader.mappings["source"].maximum_retry_attempts == -1 && module.event_processor[0].reader.mappings["source"].maximum_record_age_in_seconds == -1
    error_message = "Records are given up before they expire."
  }

  assert {
    condition     = one(one(module.event_processor[0].reader.mappings["source"].destination_config).on_failure).destination_arn == module.lake_bucket.bucket.arn
    error_message = "What Lambda gives up is lost."
  }

  assert {
    condition     = module.event_processor[0].reader.mappings["source"].maximum_batching_window_in_seconds == 30 && module.event_processor[0].reader.mappings["source"].batch_size == 10000
    error_message = "event_processor_batch_seconds does nothing, or batches are cut small, and each counter is written for each."
  }
}

run "the_function_runs_as_it_is_built_within_bounds" {
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition = (
      tolist(module.event_processor[0].reader.function.architectures) == tolist(["arm64"]) && module.event_processor[0].reader.function.runtime == "provided.al2023" &&
      module.event_processor[0].reader.function.filename == var.event_processor_zip && module.event_processor[0].reader.function.memory_size == 512 && module.event_processor[0].reader.function.timeout == 60
    )
    error_message = "The function is not what `make build` builds."
  }

  assert {
    condition     = module.event_processor[0].reader.role.permissions_boundary == var.permissions_boundary
    error_message = "A role is made without the boundary, which the account may refuse."
  }
}

run "the_archive_is_read_where_it_is_written" {
  assert {
    condition     = one(module.event_processor[0].archive.storage_descriptor).location == "s3://${module.lake_bucket.bucket.bucket}/${module.event_processor[0].reader.function.environment[0].variables.ARCHIVE_PREFIX}" && output.archive_location == one(module.event_processor[0].archive.storage_descriptor).location
    error_message = "The table reads elsewhere."
  }

  assert {
    condition = module.event_processor[0].archive.parameters == tomap({
      EXTERNAL                    = "TRUE"
      classification              = "json"
      "projection.enabled"        = "true"
      "projection.year.type"      = "integer"
      "projection.year.range"     = "2000,2099"
      "projection.year.digits"    = "4"
      "projection.month.type"     = "integer"
      "projection.month.range"    = "1,12"
      "projection.month.digits"   = "2"
      "projection.day.type"       = "integer"
      "projection.day.range"      = "1,31"
      "projection.day.digits"     = "2"
      "projection.hour.type"      = "integer"
      "projection.hour.range"     = "0,23"
      "projection.hour.digits"    = "2"
      "storage.location.template" = "s3://${module.lake_bucket.bucket.bucket}/event-processor/archive/year=$${year}/month=$${month}/day=$${day}/hour=$${hour}/"
    })
    error_message = "A new hour could not be read at once, or is looked for elsewhere."
  }

  assert {
    condition     = [for key in module.event_processor[0].archive.partition_keys : "${key.name} ${key.type}"] == ["year int", "month int", "day int", "hour int"]
    error_message = "The hours are not the table's partitions."
  }

  assert {
    condition     = length(setsubtract(["event_id", "event_type", "user_id", "experiment_id", "timestamp", "properties", "metadata", "record_id", "event_datetime", "assignment_id", "variant", "time_since_assignment_seconds", "experiment_key", "experiment_name", "experiment_status", "enrichment_error"], [for column in module.event_processor[0].archive.storage_descriptor[0].columns : column.name])) == 0
    error_message = "A field that an archived event has, or is given, is no column."
  }
}

run "the_archive_and_dead_letters_go_when_they_are_told" {
  variables {
    event_processor_archive_expiration_days = 365
    lake_archive_days                       = 30
    error_expiration_days                   = 14
  }

  assert {
    condition = { for rule in module.lake_bucket.lifecycle.rule : one(rule.filter).prefix => "${try(one(rule.transition).days, 0)} ${one(rule.expiration).days}" if startswith(coalesce(one(rule.filter).prefix, "-"), "event-processor/") } == {
      "event-processor/archive/"      = "30 365"
      "event-processor/dead-letters/" = "0 14"
    }
    error_message = "The archive or dead letters go sooner or later than they were told."
  }
}

run "the_archive_stays_unless_it_is_told" {
  assert {
    condition     = one([for rule in module.lake_bucket.lifecycle.rule : length(rule.expiration) if rule.id == "archive"]) == 0
    error_message = "What counters are proved by is deleted unasked."
  }
}

run "it_can_be_had_alone" {
  variables {
    lake          = false
    function_zip  = "no-such.zip"
    event_log_zip = "no-such.zip"
  }

  assert {
    condition     = length(module.delivery) + length(module.transform) + length(module.table) + length(module.event_log) + length(aws_athena_named_query.lake) == 0 && keys(aws_cloudwatch_metric_alarm.metric) == ["event-processor-claims-throttled"] && keys(module.claims) == ["event-processor"]
    error_message = "Something of the lake's chain or of the event log is still made."
  }

  assert {
    condition     = length(aws_kinesis_stream.source) == 1 && strcontains(output.put_record_command, "aws kinesis put-record") && output.athena_workgroup == aws_athena_workgroup.lake[0].name
    error_message = "It lacks a stream, or a workgroup to read the archive with, or the outputs do not say how to use it."
  }

  assert {
    condition     = output.counter_table == module.event_processor[0].table.name && output.archive_table == "nozzle_default.archive" && output.athena_table == null && output.event_log_table == null
    error_message = "Outputs name what is not there, or not what is."
  }
}

run "beside_the_others_it_touches_nothing_of_theirs" {
  variables {
    event_log     = true
    stream_source = "kinesis"
  }

  assert {
    condition = (
      module.event_processor[0].reader.mappings["source"].event_source_arn == module.event_log[0].reader.mappings["source"].event_source_arn &&
      module.event_processor[0].reader.mappings["source"].event_source_arn == one(module.delivery[0].stream.kinesis_source_configuration).kinesis_stream_arn
    )
    error_message = "Lake, event log and event processor see other events."
  }

  assert {
    condition = length(setintersection(
      [for name in ["DEAD_LETTER_PREFIX"] : module.event_processor[0].reader.function.environment[0].variables[name]],
      [for name in ["DEAD_LETTER_PREFIX"] : module.event_log[0].reader.function.environment[0].variables[name]],
    )) == 0 && module.event_processor[0].reader.dead_letters.name != module.event_log[0].reader.dead_letters.name
    error_message = "Two functions of one stream write the same dead letters."
  }

  assert {
    condition     = length(distinct([module.event_processor[0].reader.role.name, module.event_log[0].reader.role.name, module.transform[0].role.name, module.delivery[0].role.name])) == 4 && keys(module.claims) == ["event-processor", "lake"]
    error_message = "Two share a role, or claims."
  }

  assert {
    condition = setintersection(
      flatten([for statement in jsondecode(module.event_processor[0].reader.policy.policy).Statement : statement.Resource if startswith(statement.Action[0], "s3:Put")]),
      flatten([for statement in jsondecode(module.event_log[0].reader.policy.policy).Statement : statement.Resource if startswith(statement.Action[0], "s3:Put")]),
    ) == toset(["${module.lake_bucket.bucket.arn}/aws/lambda/*"])
    error_message = "One may write into another's folders."
  }
}

run "what_can_go_wrong_rings" {
  assert {
    condition = { for alarm in module.event_processor[0].reader.alarms : trimprefix(alarm.alarm_name, "nozzle-default-event-processor-") => "${alarm.namespace} ${alarm.metric_name} ${alarm.statistic} > ${alarm.threshold} of ${join(" ", values(alarm.dimensions))}" } == {
      behind             = "AWS/Lambda IteratorAge Maximum > 900000 of nozzle-default-event-processor"
      errors             = "AWS/Lambda Errors Sum > 0 of nozzle-default-event-processor"
      throttled          = "AWS/Lambda Throttles Sum > 0 of nozzle-default-event-processor"
      slow               = "AWS/Lambda Duration Maximum > 48000 of nozzle-default-event-processor"
      dead-letters       = "Nozzle dead_letters Sum > 0 of nozzle-default-event-processor"
      enrichment-failing = "Nozzle enrichment_failures Sum > 0 of nozzle-default-event-processor"
      table-throttled    = "AWS/DynamoDB WriteThrottleEvents Sum > 0 of nozzle-default-event-processor"
    }
    error_message = "An alarm is missing, or watches something else."
  }

  assert {
    condition     = toset([for alarm in module.event_processor[0].reader.alarms : join(" ", keys(alarm.dimensions))]) == toset(["FunctionName", "TableName"])
    error_message = "CloudWatch knows the metrics by other dimensions."
  }
}

run "what_only_several_counts_show_rings" {
  variables {
    refused_percent_max = 5
  }

  assert {
    condition = { for name, alarm in module.event_processor[0].reader.computed_alarms : name => "${one([for query in alarm.metric_query : query.expression if query.return_data == true])} > ${alarm.threshold}, ${alarm.datapoints_to_alarm} of ${alarm.evaluation_periods}" } == {
      refused         = "IF(events > 0, 100 * refused / events, 0) > 5, 2 of 3"
      failing         = "SUM([claim_failures, ledger_failures, archive_failures, dead_letter_failures, user_failures, counter_failures]) > 0, 2 of 3"
      already-counted = "IF((already_counted + done_before > 0) AND (SUM([errors, counter_failures]) == 0), already_counted + done_before, 0) > 0, 1 of 1"
    }
    error_message = "An alarm is missing, or computes something else."
  }

  # What an expression names is there, by that name.
  assert {
    condition = alltrue(flatten([
      for alarm in module.event_processor[0].reader.computed_alarms : [
        for name in regexall("[a-z_]{4,}", one([for query in alarm.metric_query : query.expression if query.return_data == true])) :
        [for query in alarm.metric_query : "${one(query.metric).namespace} ${one(query.metric).metric_name}" if query.id == name] == [name == "errors" ? "AWS/Lambda Errors" : "Nozzle ${name}"]
      ]
    ]))
    error_message = "An alarm computes with a count that it does not have."
  }

  assert {
    condition = alltrue(flatten([
      for name, alarm in module.event_processor[0].reader.computed_alarms : [
        for query in alarm.metric_query : one(query.metric).stat == "Sum" && one(query.metric).period == (name == "already-counted" ? 3600 : 300) && one(query.metric).dimensions == tomap({ FunctionName = "nozzle-default-event-processor" })
        if query.id != "computed"
      ]
    ]))
    error_message = "A count is another function's, or of another time than what it is compared with."
  }
}

run "what_lambda_gives_up_is_told_without_a_lake" {
  variables {
    lake = false
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.error_objects.event_pattern).detail.object.key == [{ prefix = "aws/lambda/" }] && aws_cloudwatch_event_rule.error_objects.state == "ENABLED"
    error_message = "A batch that Lambda gave up lies there, and nobody knows."
  }
}

run "the_dashboard_tells_at_a_glance" {
  assert {
    condition     = alltrue([for metric in ["counted", "uncounted", "archived", "dead_letters", "already_counted", "IteratorAge", "write_units", "total_milliseconds", "enrichment_failures"] : strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "\"${metric}\",\"FunctionName\",\"nozzle-default-event-processor\"")])
    error_message = "The dashboard lacks something that was promised."
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets)
    error_message = "Two graphs lie on each other."
  }
}

run "dead_letters_wait_encrypted_for_two_weeks" {
  assert {
    condition     = module.event_processor[0].reader.dead_letters.sqs_managed_sse_enabled && module.event_processor[0].reader.dead_letters.message_retention_seconds == 14 * 24 * 3600
    error_message = "The queue is not encrypted, or forgets sooner than it could."
  }

  assert {
    condition     = output.processor_dead_letter_location == "s3://${module.lake_bucket.bucket.bucket}/event-processor/dead-letters/" && output.processor_dead_letter_queue == module.event_processor[0].reader.dead_letters.url
    error_message = "The outputs do not say where dead letters are."
  }
}

run "without_it_nothing_of_it_is_made" {
  variables {
    event_processor = false
  }

  assert {
    condition     = length(module.event_processor) + length(data.aws_kinesis_stream.processed) == 0 && keys(module.claims) == ["lake"]
    error_message = "Something of the event processor is made unasked."
  }

  assert {
    condition     = output.counter_table == null && output.archive_table == null && output.archive_location == null && output.processor_dead_letter_location == null && output.processor_dead_letter_queue == null && !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "event-processor")
    error_message = "Outputs or the dashboard name what is not there."
  }
}
