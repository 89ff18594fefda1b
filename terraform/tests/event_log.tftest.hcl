# The event log: its table, what its function is told and may do, what calls it, and what is set aside.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment   = "default"
  region        = "eu-central-1"
  function_zip  = "versions.tf" # any file will do
  event_log     = true
  event_log_zip = "versions.tf"

  deletion_protection = false
}

run "an_event_is_found_by_its_id" {
  assert {
    condition = (
      module.event_log[0].table.hash_key == "eventId" && module.event_log[0].table.range_key == null &&
      [for attribute in module.event_log[0].table.attribute : "${attribute.name} ${attribute.type}"] == ["eventId S"]
    )
    error_message = "The table's key is not the text `eventId`, which the function writes."
  }

  assert {
    condition     = module.event_log[0].table.billing_mode == "PAY_PER_REQUEST" && one(module.event_log[0].table.server_side_encryption).enabled
    error_message = "The table is not on demand, or not encrypted."
  }

  assert {
    condition     = length(module.event_log[0].table.global_secondary_index) == 0 && length(module.event_log[0].table.ttl) == 0
    error_message = "The table has an index, or items that expire, unasked."
  }
}

run "events_are_found_by_another_value_and_expire_where_that_is_wanted" {
  variables {
    event_log_search_key = "/sensor"
    event_log_ttl_hours  = 25
  }

  assert {
    condition = [for index in module.event_log[0].table.global_secondary_index : "${index.name} ${index.hash_key} ${index.range_key} ${index.projection_type}"] == ["search searchKey timestamp ALL"] && (
      toset([for attribute in module.event_log[0].table.attribute : "${attribute.name} ${attribute.type}"]) == toset(["eventId S", "searchKey S", "timestamp S"])
    )
    error_message = "The index is not by search key and time, or lacks the event."
  }

  assert {
    condition     = one(module.event_log[0].table.ttl).enabled && one(module.event_log[0].table.ttl).attribute_name == "ttl"
    error_message = "Items do not expire by `ttl`."
  }

  assert {
    condition     = one([for rule in module.lake_bucket.lifecycle.rule : one(rule.expiration).days if rule.id == "overflow"]) == 5
    error_message = "What an item refers to goes before the item, or stays for ever."
  }
}

run "what_items_refer_to_stays_as_long_as_they" {
  assert {
    condition     = !contains([for rule in module.lake_bucket.lifecycle.rule : rule.id], "overflow")
    error_message = "Items that stay refer to objects that go."
  }
}

run "the_function_is_told_exactly_the_settings" {
  assert {
    condition = module.event_log[0].reader.function.environment[0].variables == tomap({
      TABLE_NAME         = module.event_log[0].table.name
      EVENT_ID           = "record"
      ON_CONFLICT        = "keep-first"
      DATA               = "map"
      ON_UNREADABLE      = "store"
      S3_BUCKET          = module.lake_bucket.bucket.bucket
      DEAD_LETTER_PREFIX = "dead-letters/"
      DLQ_URL            = module.event_log[0].reader.dead_letters.url
    })
    error_message = "The function's environment is not its settings."
  }
}

run "the_function_is_told_what_is_set" {
  variables {
    event_log_id             = "/event_uuid"
    event_log_on_conflict    = "keep-both"
    event_log_search_key     = "/a~1b/~0"
    event_log_search_buckets = 8
    event_log_data           = "text"
    event_log_on_unreadable  = "dead-letter"
    event_log_ttl_hours      = 720
  }

  assert {
    condition = module.event_log[0].reader.function.environment[0].variables == tomap({
      TABLE_NAME         = module.event_log[0].table.name
      EVENT_ID           = "/event_uuid"
      ON_CONFLICT        = "keep-both"
      SEARCH_KEY         = "/a~1b/~0"
      SEARCH_BUCKETS     = "8"
      DATA               = "text"
      ON_UNREADABLE      = "dead-letter"
      LOG_TTL_HOURS      = "720"
      S3_BUCKET          = module.lake_bucket.bucket.bucket
      DEAD_LETTER_PREFIX = "dead-letters/"
      DLQ_URL            = module.event_log[0].reader.dead_letters.url
    })
    error_message = "A setting does not reach the function."
  }

  assert {
    condition     = one([for statement in jsondecode(module.event_log[0].reader.policy.policy).Statement : statement.Action if statement.Sid == "Keep"]) == ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert"]
    error_message = "The function may not insert, or not read what was there before, or may more."
  }
}

run "the_function_may_do_its_work_and_nothing_else" {
  assert {
    condition = jsondecode(module.event_log[0].reader.policy.policy).Statement == [
      { Sid = "Keep", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"], Resource = [module.event_log[0].table.arn] },
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
        Resource = ["${module.lake_bucket.bucket.arn}/dead-letters/*", "${module.lake_bucket.bucket.arn}/overflow/*", "${module.lake_bucket.bucket.arn}/aws/lambda/*"]
      },
      { Sid = "FindBucket", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [module.lake_bucket.bucket.arn] },
      { Sid = "Queue", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [module.event_log[0].reader.dead_letters.arn] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${module.event_log[0].reader.log_group.arn}:*"] },
    ]
    error_message = "The function may do other things than its work, or not all of it."
  }

  assert {
    condition     = module.event_log[0].reader.policy.role == module.event_log[0].reader.role.name && module.event_log[0].reader.function.role == module.event_log[0].reader.role.arn && module.event_log[0].reader.role.name != module.transform[0].role.name
    error_message = "The function has another role than the one whose policy was read."
  }
}

run "keys_of_the_users_may_be_used_by_their_services_alone" {
  variables {
    kinesis_stream_arn  = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
    kinesis_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
    lake_kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/2"
  }

  assert {
    condition = [for statement in jsondecode(module.event_log[0].reader.policy.policy).Statement : statement if can(statement.Condition)] == [
      { Sid = "Encrypt", Effect = "Allow", Action = ["kms:GenerateDataKey"], Resource = [var.lake_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } } },
      { Sid = "Decrypt", Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kinesis_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "kinesis.eu-central-1.amazonaws.com" } } },
    ]
    error_message = "The function may not use a key that it needs, or may use it for more."
  }
}

run "the_function_runs_as_it_is_built_within_bounds" {
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition = (
      tolist(module.event_log[0].reader.function.architectures) == tolist(["arm64"]) && module.event_log[0].reader.function.runtime == "provided.al2023" &&
      module.event_log[0].reader.function.filename == var.event_log_zip && module.event_log[0].reader.function.memory_size == 256 && module.event_log[0].reader.function.timeout == 60
    )
    error_message = "The function is not what `make build` builds."
  }

  assert {
    condition     = module.event_log[0].reader.log_group.name == "/aws/lambda/${module.event_log[0].reader.function.function_name}" && module.event_log[0].reader.log_group.retention_in_days == 30
    error_message = "The function's log is kept for ever."
  }

  assert {
    condition     = module.event_log[0].reader.role.permissions_boundary == var.permissions_boundary
    error_message = "A role is made without the boundary, which the account may refuse."
  }
}

run "the_stream_is_read_from_its_beginning_and_nothing_is_given_up_early" {
  assert {
    condition = (
      module.event_log[0].reader.mappings["source"].event_source_arn == aws_kinesis_stream.source[0].arn &&
      module.event_log[0].reader.mappings["source"].function_name == module.event_log[0].reader.alias.arn &&
      module.event_log[0].reader.mappings["source"].starting_position == "TRIM_HORIZON"
    )
    error_message = "Another stream is read, or another function called, or what came while it was made is missed."
  }

  assert {
    condition     = tolist(module.event_log[0].reader.mappings["source"].function_response_types) == tolist(["ReportBatchItemFailures"]) && module.event_log[0].reader.mappings["source"].bisect_batch_on_function_error
    error_message = "Lambda does not listen to which record failed, or one record fails a whole batch for good."
  }

  assert {
    condition     = module.event_log[0].reader.mappings["source"].maximum_retry_attempts == -1 && module.event_log[0].reader.mappings["source"].maximum_record_age_in_seconds == -1
    error_message = "Records are given up before they expire."
  }

  assert {
    condition     = one(one(module.event_log[0].reader.mappings["source"].destination_config).on_failure).destination_arn == module.lake_bucket.bucket.arn
    error_message = "What Lambda gives up is lost."
  }

  assert {
    condition     = module.event_log[0].reader.mappings["source"].parallelization_factor == 1
    error_message = "More than one batch of a shard is worked on unasked."
  }
}

run "a_shard_is_read_by_several_where_that_is_wanted" {
  variables {
    event_log_parallelization_factor = 10
  }

  assert {
    condition     = module.event_log[0].reader.mappings["source"].parallelization_factor == 10
    error_message = "event_log_parallelization_factor does nothing."
  }
}

run "it_reads_the_stream_that_feeds_the_lake" {
  variables {
    stream_source = "kinesis"
  }

  assert {
    condition     = length(aws_kinesis_stream.source) == 1 && module.event_log[0].reader.mappings["source"].event_source_arn == one(module.delivery[0].stream.kinesis_source_configuration).kinesis_stream_arn
    error_message = "Lake and event log see other events."
  }
}

run "it_has_a_stream_of_its_own_beside_direct_put" {
  assert {
    condition     = length(aws_kinesis_stream.source) == 1 && length(module.delivery[0].stream.kinesis_source_configuration) == 0 && output.kinesis_stream_name == aws_kinesis_stream.source[0].name
    error_message = "The event log has no stream, or the lake reads it unasked."
  }

  assert {
    condition     = strcontains(output.put_record_command, "aws firehose put-record")
    error_message = "The command does not put an event into the lake."
  }
}

run "it_reads_a_given_stream" {
  variables {
    kinesis_stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
  }

  assert {
    condition     = length(aws_kinesis_stream.source) == 0 && module.event_log[0].reader.mappings["source"].event_source_arn == var.kinesis_stream_arn && length(module.delivery[0].stream.kinesis_source_configuration) == 0
    error_message = "The given stream is not read, or the lake reads it too."
  }
}

run "it_can_be_had_alone" {
  variables {
    lake         = false
    function_zip = "no-such.zip"
  }

  assert {
    condition = (
      length(module.delivery) + length(module.claims) + length(module.transform) +
      length(aws_glue_catalog_database.lake) + length(module.table) + length(aws_athena_workgroup.lake) + length(aws_athena_named_query.lake)
    ) == 0
    error_message = "Something of the lake's chain is still made."
  }

  assert {
    condition     = length(aws_kinesis_stream.source) == 1 && output.event_log_table == module.event_log[0].table.name && strcontains(output.put_record_command, "aws kinesis put-record")
    error_message = "The event log lacks a stream, or the outputs do not say how to use it."
  }

  assert {
    condition     = output.stream_name == null && output.claim_table == null && output.redrive_command == null && output.athena_table == null && output.athena_workgroup == null
    error_message = "Outputs name what is not there."
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "Firehose") && !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "transform") && length(aws_cloudwatch_metric_alarm.metric) == 0
    error_message = "The dashboard or an alarm watches what is not there."
  }
}

# The stream of stream_source is not the lake's, where there is none.
run "alone_it_reads_the_stream_of_stream_source" {
  variables {
    lake               = false
    stream_source      = "kinesis"
    kinesis_stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
  }

  assert {
    condition     = module.event_log[0].reader.mappings["source"].event_source_arn == var.kinesis_stream_arn && output.kinesis_stream_name == "theirs" && length(module.delivery) == 0
    error_message = "The given stream is not read."
  }
}

run "what_can_go_wrong_rings" {
  variables {
    event_log_search_key = "/sensor"
  }

  assert {
    condition = { for alarm in module.event_log[0].reader.alarms : alarm.alarm_name => "${alarm.namespace} ${alarm.metric_name} ${alarm.statistic} > ${alarm.threshold} of ${join(" ", values(alarm.dimensions))}" } == {
      nozzle-default-event-log-behind          = "AWS/Lambda IteratorAge Maximum > 900000 of nozzle-default-event-log"
      nozzle-default-event-log-dead-letters    = "Nozzle dead_letters Sum > 0 of nozzle-default-event-log"
      nozzle-default-event-log-table-throttled = "AWS/DynamoDB WriteThrottleEvents Sum > 0 of nozzle-default-event-log"
      nozzle-default-event-log-index-throttled = "AWS/DynamoDB WriteThrottleEvents Sum > 0 of search nozzle-default-event-log"
      nozzle-default-event-log-errors          = "AWS/Lambda Errors Sum > 0 of nozzle-default-event-log"
      nozzle-default-event-log-throttled       = "AWS/Lambda Throttles Sum > 0 of nozzle-default-event-log"
      nozzle-default-event-log-slow            = "AWS/Lambda Duration Maximum > 48000 of nozzle-default-event-log"
    }
    error_message = "An alarm is missing, or watches something else."
  }

  assert {
    condition     = toset([for alarm in module.event_log[0].reader.alarms : join(" ", keys(alarm.dimensions))]) == toset(["FunctionName", "TableName", "GlobalSecondaryIndexName TableName"])
    error_message = "CloudWatch knows the metrics by other dimensions."
  }
}

run "what_lambda_gives_up_is_told" {
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.error_objects.event_pattern).detail.object.key == [{ prefix = "errors/" }, { prefix = "aws/lambda/" }]
    error_message = "A batch that Lambda gave up lies there, and nobody knows."
  }
}

# A mail for each refused event may be too many; a batch that was given up never is.
run "what_lambda_gives_up_is_told_though_error_files_are_not" {
  variables {
    error_mail = false
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.error_objects.event_pattern).detail.object.key == [{ prefix = "aws/lambda/" }] && aws_cloudwatch_event_rule.error_objects.state == "ENABLED"
    error_message = "A batch that Lambda gave up lies there, and nobody knows."
  }
}

run "the_dashboard_tells_at_a_glance" {
  assert {
    condition     = alltrue([for metric in ["stored", "dead_letters", "IteratorAge", "WriteThrottleEvents", "unreadable"] : strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, metric)])
    error_message = "The dashboard lacks something that was promised."
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets)
    error_message = "Two graphs lie on each other."
  }
}

run "dead_letters_wait_encrypted_for_two_weeks" {
  assert {
    condition     = module.event_log[0].reader.dead_letters.sqs_managed_sse_enabled && module.event_log[0].reader.dead_letters.message_retention_seconds == 14 * 24 * 3600
    error_message = "The queue is not encrypted, or forgets sooner than it could."
  }

  assert {
    condition     = output.dead_letter_location == "s3://${module.lake_bucket.bucket.bucket}/dead-letters/" && output.dead_letter_queue == module.event_log[0].reader.dead_letters.url
    error_message = "The outputs do not say where dead letters are."
  }
}

run "without_it_nothing_of_it_is_made" {
  variables {
    event_log = false
  }

  assert {
    condition     = length(module.event_log) + length(aws_kinesis_stream.source) == 0
    error_message = "Something of the event log is made unasked."
  }

  assert {
    condition     = output.event_log_table == null && output.dead_letter_location == null && output.dead_letter_queue == null && output.kinesis_stream_name == null && !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "event-log")
    error_message = "Outputs or the dashboard name what is not there."
  }
}
