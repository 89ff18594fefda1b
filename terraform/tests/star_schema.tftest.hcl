# The star-schema loader: its buckets, what its function is told and may do, what calls it, and what Athena reads.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "default"
  region          = "eu-central-1"
  lake            = false
  star_schema     = true
  star_schema_zip = "versions.tf" # any file will do

  deletion_protection = false
}

run "it_can_be_had_alone" {
  assert {
    condition = (
      length(module.delivery) + length(module.claims) + length(module.transform) + length(module.event_log) + length(module.event_processor) + length(aws_kinesis_stream.source) +
      length(aws_glue_catalog_database.lake) + length(module.table) + length(aws_athena_named_query.lake) + length(aws_cloudwatch_metric_alarm.metric)
    ) == 0
    error_message = "Something of the lake's chain is made too."
  }

  assert {
    condition     = output.stream_name == null && output.put_record_command == null && output.kinesis_stream_name == null && output.athena_table == null && output.athena_workgroup == aws_athena_workgroup.lake[0].name
    error_message = "Outputs name what is not there, or there is nothing to query the star with."
  }

  assert {
    condition = output.star_schema_buckets == {
      ingestion = "nozzle-default-raw-123456789012-eu-central-1"
      processed = "nozzle-default-star-123456789012-eu-central-1"
    } && { for use, made in module.star_schema[0].buckets : use => made.bucket.bucket } == output.star_schema_buckets
    error_message = "The outputs name other buckets than are made."
  }

  assert {
    condition = output.star_schema_command == join(" ", [
      "aws lambda invoke --region eu-central-1 --function-name ${module.star_schema[0].function.alias.arn} --invocation-type Event",
      "--cli-binary-format raw-in-base64-out --payload '{\"packets\": [{\"table\": \"sales_order\", \"id\": 3}]}' /dev/stdout",
    ])
    error_message = "The command does not call the alias, without which nobody is told of a call that was given up, or waits for an answer."
  }
}

run "its_buckets_are_closed_and_encrypted" {
  assert {
    condition = alltrue([for made in module.star_schema[0].buckets :
      made.public_access_block.block_public_acls && made.public_access_block.block_public_policy && made.public_access_block.ignore_public_acls && made.public_access_block.restrict_public_buckets &&
      made.ownership.rule[0].object_ownership == "BucketOwnerEnforced" && one(one(made.encryption.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256" &&
      one(made.versioning.versioning_configuration).status == "Suspended"
    ])
    error_message = "A bucket is public, not encrypted, or versioned unasked."
  }

  assert {
    condition     = { for use, made in module.star_schema[0].buckets : use => [for statement in jsondecode(made.policy.policy).Statement : statement.Sid] } == { ingestion = ["TlsOnly"], processed = ["TlsOnly", "WriteOnce"] }
    error_message = "A bucket speaks without TLS, or the wrong one refuses what may replace an object."
  }

  # CreateMultipartUpload and UploadPart carry no header and make no object; CompleteMultipartUpload does both.
  assert {
    condition = one([for statement in jsondecode(module.star_schema[0].buckets["processed"].policy.policy).Statement : statement if statement.Sid == "WriteOnce"]) == {
      Sid       = "WriteOnce"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${module.star_schema[0].buckets["processed"].bucket.arn}/*"
      Condition = { Null = { "s3:if-none-match" = "true" }, Bool = { "s3:ObjectCreationOperation" = "true" } }
    }
    error_message = "An object of the star could be replaced, or an upload in parts is refused."
  }

  assert {
    condition = (
      [for rule in module.star_schema[0].buckets["processed"].lifecycle.rule : rule.id] == ["refused", "leftovers"] &&
      [for rule in module.star_schema[0].buckets["ingestion"].lifecycle.rule : rule.id] == ["leftovers"]
    )
    error_message = "Packets or the star's files expire, which joins and readers need, or refused rows stay for ever."
  }
}

run "the_function_is_told_its_settings_and_may_do_its_work_and_nothing_else" {
  assert {
    condition = module.star_schema[0].function.function.environment[0].variables == tomap({
      INGESTION_BUCKET = output.star_schema_buckets.ingestion
      PROCESSED_BUCKET = output.star_schema_buckets.processed
      PARAMETER_PREFIX = "/nozzle-default/star/"
      REFUSED_ROWS_MAX = "1"
    })
    error_message = "The function's environment is not its settings."
  }

  assert {
    condition = jsondecode(module.star_schema[0].function.policy.policy).Statement == [
      { Sid = "Find", Effect = "Allow", Action = ["s3:ListBucket"], Resource = ["arn:aws:s3:::${output.star_schema_buckets.ingestion}", "arn:aws:s3:::${output.star_schema_buckets.processed}"] },
      { Sid = "Read", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::${output.star_schema_buckets.ingestion}/*", "arn:aws:s3:::${output.star_schema_buckets.processed}/*"] },
      { Sid = "Write", Effect = "Allow", Action = ["s3:AbortMultipartUpload", "s3:PutObject"], Resource = ["arn:aws:s3:::${output.star_schema_buckets.processed}/*"] },
      { Sid = "Remember", Effect = "Allow", Action = ["ssm:GetParameter", "ssm:PutParameter"], Resource = ["arn:aws:ssm:eu-central-1:123456789012:parameter/nozzle-default/star/*"] },
      { Sid = "Tell", Effect = "Allow", Action = ["sns:Publish"], Resource = [aws_sns_topic.alarms.arn] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${module.star_schema[0].function.log_group.arn}:*"] },
    ]
    error_message = "The function may do other things than its work, or not all of it."
  }

  assert {
    condition = (
      module.star_schema[0].function.function.reserved_concurrent_executions == 1 && tolist(module.star_schema[0].function.function.architectures) == tolist(["arm64"]) &&
      module.star_schema[0].function.function.memory_size == 512 && module.star_schema[0].function.function.timeout == 900
    )
    error_message = "Two packets of joined tables may be loaded at once, or the function is not what `make build` builds."
  }
}

run "a_call_is_tried_again_and_told_of_in_the_end" {
  assert {
    condition = (
      module.star_schema[0].calls.function_name == module.star_schema[0].function.function.function_name && module.star_schema[0].calls.qualifier == module.star_schema[0].function.alias.name &&
      module.star_schema[0].calls.maximum_retry_attempts == 2 && module.star_schema[0].calls.maximum_event_age_in_seconds == 21600 &&
      one(one(module.star_schema[0].calls.destination_config).on_failure).destination == aws_sns_topic.alarms.arn
    )
    error_message = "A call is not tried three times, or is lost and nobody told."
  }

  assert {
    condition = (
      module.star_schema[0].sweep.rule.schedule_expression == "rate(15 minutes)" && module.star_schema[0].sweep.target.rule == module.star_schema[0].sweep.rule.name &&
      module.star_schema[0].sweep.target.arn == module.star_schema[0].function.alias.arn && module.star_schema[0].sweep.target.input == "{\"packets\":[]}"
    )
    error_message = "What was left is not swept."
  }

  assert {
    condition = (
      module.star_schema[0].sweep.permission.principal == "events.amazonaws.com" && module.star_schema[0].sweep.permission.source_arn == module.star_schema[0].sweep.rule.arn &&
      module.star_schema[0].sweep.permission.qualifier == module.star_schema[0].function.alias.name && module.star_schema[0].sweep.permission.action == "lambda:InvokeFunction"
    )
    error_message = "The schedule may not call the alias, or others may."
  }

  # A throttled call waits for its turn: there is one at a time.
  assert {
    condition = { for alarm in module.star_schema[0].function.alarms : alarm.alarm_name => "${alarm.namespace} ${alarm.metric_name} ${alarm.statistic} > ${alarm.threshold}" } == {
      nozzle-default-star-schema-errors  = "AWS/Lambda Errors Sum > 0"
      nozzle-default-star-schema-slow    = "AWS/Lambda Duration Maximum > 720000"
      nozzle-default-star-schema-dropped = "AWS/Lambda AsyncEventsDropped Sum > 0"
      nozzle-default-star-schema-late    = "Nozzle lag_milliseconds Maximum > 86400000"
    } && alltrue([for alarm in module.star_schema[0].function.alarms : alarm.dimensions == tomap({ FunctionName = "nozzle-default-star-schema" })])
    error_message = "An alarm is missing, or watches something else."
  }

  assert {
    condition = { for alarm in module.star_schema[0].function.computed_alarms : alarm.alarm_name => "${alarm.datapoints_to_alarm} of ${alarm.evaluation_periods} > ${alarm.threshold}" } == {
      nozzle-default-star-schema-refused = "1 of 1 > 1"
      nozzle-default-star-schema-gap     = "3 of 4 > 0"
    }
    error_message = "Refused rows or missing packets do not ring, or packets that overtake each other do."
  }

  assert {
    condition     = alltrue([for metric in ["loaded", "refused", "gap", "lag_milliseconds", "AsyncEventsDropped"] : strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, metric)])
    error_message = "The dashboard lacks something that was promised."
  }
}

run "athena_reads_the_files_by_views" {
  assert {
    condition     = output.star_schema_database == "nozzle_default_star" && alltrue([for view in module.star_schema[0].views : view.database_name == output.star_schema_database && view.table_type == "VIRTUAL_VIEW"])
    error_message = "A view is elsewhere than the output says."
  }

  assert {
    condition = alltrue([for name, table in module.star_schema[0].tables :
      table.storage_descriptor[0].location == "s3://${output.star_schema_buckets.processed}/${trimsuffix(name, "_files")}/" && table.parameters.classification == "parquet" && length(table.partition_keys) == 0
    ])
    error_message = "A table reads elsewhere than the function writes."
  }

  assert {
    condition = [for column in module.star_schema[0].tables["dim_staff_files"].storage_descriptor[0].columns : "${column.name} ${column.type}: ${column.comment}"] == [
      "staff_id int: staff.staff_id",
      "first_name string: staff.first_name",
      "last_name string: staff.last_name",
      "department_name string: department.department_name or 'Unknown'",
      "location string: department.location or 'Unknown'",
      "email_address string: staff.email_address",
    ]
    error_message = "The columns are not the file's, in their order."
  }

  # Each view shows the columns of its table; one of every version of a fact numbers them first.
  assert {
    condition = alltrue([for name, view in module.star_schema[0].views :
      [for column in view.storage_descriptor[0].columns : column.name if column.name != "record_id"] == [for column in module.star_schema[0].tables["${trimsuffix(name, "_current")}_files"].storage_descriptor[0].columns : column.name] if name != "orphans"
    ])
    error_message = "A view lacks a column, or has one that is not in the files."
  }

  assert {
    condition = jsondecode(base64decode(trimsuffix(trimprefix(module.star_schema[0].views["dim_staff"].view_original_text, "/* Presto View: "), " */"))) == {
      catalog = "awsdatacatalog"
      schema  = "nozzle_default_star"
      originalSql = join("\n", [
        "SELECT",
        "  staff_id,",
        "  first_name,",
        "  last_name,",
        "  department_name,",
        "  location,",
        "  email_address",
        "FROM (",
        "  SELECT *, row_number() OVER (PARTITION BY staff_id ORDER BY \"$path\" DESC) AS packet__rank",
        "  FROM dim_staff_files",
        ") AS versions",
        "WHERE packet__rank = 1",
      ])
      columns = [
        { name = "staff_id", type = "integer" },
        { name = "first_name", type = "varchar" },
        { name = "last_name", type = "varchar" },
        { name = "department_name", type = "varchar" },
        { name = "location", type = "varchar" },
        { name = "email_address", type = "varchar" },
      ]
    }
    error_message = "The view is not the latest version of each, or not as Athena keeps one."
  }

  assert {
    condition = [for column in module.star_schema[0].views["fact_sales_order_current"].storage_descriptor[0].columns : column.type if endswith(column.name, "_time")] == ["string", "string"] && alltrue([
      for column in jsondecode(base64decode(trimsuffix(trimprefix(module.star_schema[0].views["fact_sales_order_current"].view_original_text, "/* Presto View: "), " */"))).columns : column.type == "time(6)" if endswith(column.name, "_time")
    ])
    error_message = "A time of day is a number, or of a type that the catalogue does not know."
  }
}

run "what_is_given_is_used_and_not_made" {
  variables {
    star_schema_buckets          = { ingestion = "their-packets", processed = "their-star" }
    star_schema_description      = { star = "s3://their-settings/star.toml", tables = "star_schema/star.json" }
    star_schema_parameter_prefix = "/totesys/"
    star_schema_refused_rows_max = 0.05
    star_schema_late_hours       = 0.5
    lake_kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/1"
    alarm_kms_key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/2"
  }

  assert {
    condition     = length(module.star_schema[0].buckets) == 0 && output.star_schema_buckets == { ingestion = "their-packets", processed = "their-star" }
    error_message = "A bucket is made beside the given one."
  }

  assert {
    condition = module.star_schema[0].function.function.environment[0].variables == tomap({
      INGESTION_BUCKET = "their-packets"
      PROCESSED_BUCKET = "their-star"
      PARAMETER_PREFIX = "/totesys/"
      REFUSED_ROWS_MAX = "0.05"
      STAR             = "s3://their-settings/star.toml"
    }) && module.star_schema[0].function.alarms["late"].threshold == 1800000
    error_message = "A setting does not reach the function, or the alarm."
  }

  assert {
    condition = [for statement in jsondecode(module.star_schema[0].function.policy.policy).Statement : statement if contains(["Describe", "Encrypt", "EncryptAlarms"], statement.Sid)] == [
      { Sid = "Describe", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::their-settings/star.toml"] },
      { Sid = "Encrypt", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.lake_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } } },
      { Sid = "EncryptAlarms", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.alarm_kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = "sns.eu-central-1.amazonaws.com" } } },
    ]
    error_message = "The function may not read its description or use a key that it needs, or may use it for more."
  }
}

run "without_it_nothing_of_it_is_made" {
  variables {
    lake         = true
    star_schema  = false
    function_zip = "versions.tf"
  }

  assert {
    condition     = length(module.star_schema) == 0 && output.star_schema_command == null && output.star_schema_buckets == null && output.star_schema_database == null && !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "star-schema")
    error_message = "Something of the star is made unasked, or outputs and dashboard name what is not there."
  }
}
