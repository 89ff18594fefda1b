# The stream: each source, each format, with and without the function.
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

run "the_prefix_names_exactly_what_the_function_returns" {
  assert {
    condition = join(",", [
      for match in regexall("!\\{partitionKeyFromLambda:([a-z_]+)\\}", module.delivery[0].stream.extended_s3_configuration[0].prefix) : match[0]
    ]) == module.transform[0].function.environment[0].variables.PARTITION_KEYS
    error_message = "The prefix and PARTITION_KEYS disagree: Firehose would send every record to partitioning-failed."
  }

  assert {
    condition     = one(module.delivery[0].stream.extended_s3_configuration[0].dynamic_partitioning_configuration).enabled
    error_message = "The prefix has partition keys but dynamic partitioning is off."
  }

  assert {
    condition     = strcontains(module.delivery[0].stream.extended_s3_configuration[0].error_output_prefix, "!{firehose:error-output-type}")
    error_message = "Firehose demands the kind of error in the error prefix."
  }
}

run "other_keys_reach_prefix_and_function_alike" {
  variables {
    partition_keys = ["year", "month", "day", "hour", "event_type"]
  }

  assert {
    condition = (
      module.transform[0].function.environment[0].variables.PARTITION_KEYS == "year,month,day,hour,event_type" &&
      module.delivery[0].stream.extended_s3_configuration[0].prefix == "events/year=!{partitionKeyFromLambda:year}/month=!{partitionKeyFromLambda:month}/day=!{partitionKeyFromLambda:day}/hour=!{partitionKeyFromLambda:hour}/event_type=!{partitionKeyFromLambda:event_type}/"
    )
    error_message = "The prefix and PARTITION_KEYS do not both follow partition_keys."
  }
}

run "firehose_calls_the_alias_with_settings_that_plans_stay_empty_with" {
  assert {
    condition = { for parameter in one(one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).processors).parameters : parameter.parameter_name => parameter.parameter_value } == {
      LambdaArn               = module.transform[0].alias.arn
      NumberOfRetries         = "8"
      BufferSizeInMBs         = "0.5"
      BufferIntervalInSeconds = "30"
    }
    error_message = "The processor's parameters are not what was promised."
  }

  assert {
    condition     = one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).enabled && one(one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).processors).type == "Lambda"
    error_message = "The function is not called."
  }

  assert {
    condition     = jsondecode(module.delivery[0].policies.invoke.policy).Statement[0].Resource == module.transform[0].alias.arn && contains(jsondecode(module.delivery[0].policies.invoke.policy).Statement[0].Action, "lambda:InvokeFunction")
    error_message = "Firehose may not call the alias, or may call more."
  }
}

run "firehoses_default_number_of_retries_is_left_out" {
  variables {
    transform_retries = 3
  }

  assert {
    condition     = !contains([for parameter in one(one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).processors).parameters : parameter.parameter_name], "NumberOfRetries")
    error_message = "Firehose does not store its default, so every plan would show a change."
  }
}

# The smallest valid event grows most: what is added weighs more than what came. Counted with an
# identifier of 128 characters; those seen have 56.
run "the_answer_to_the_smallest_events_fits" {
  command = plan

  variables {
    partition_keys = ["event_type", "event_subtype", "year", "month", "day", "hour"]
  }

  assert {
    condition = (
      ceil(var.transform_buffer_megabytes * 1024 * 1024 / length("{\"event_uuid\":\"a\",\"event_name\":\"a\",\"created_at\":0}")) * (
        length("{'recordId':'','result':'Ok','data':'','metadata':{'partitionKeys':{'event_type':'a','event_subtype':'unknown','year':'1970','month':'01','day':'01','hour':'00'}}},") + 128 +
        ceil(length("{'event_uuid':'a','event_name':'a','created_at':0,'event_type':'a','event_subtype':'unknown','created_datetime':'1970-01-01T00:00:00.000000Z'}\n") / 3) * 4
      ) <= 6291556
    )
    error_message = "A batch of the smallest events has an answer that Lambda does not take; some would go to the error prefix."
  }
}

run "json_lines_are_compressed" {
  assert {
    condition = (
      module.delivery[0].stream.extended_s3_configuration[0].compression_format == "GZIP" &&
      length(module.delivery[0].stream.extended_s3_configuration[0].data_format_conversion_configuration) == 0 &&
      module.delivery[0].stream.extended_s3_configuration[0].s3_backup_mode == "Disabled" &&
      length(module.delivery[0].stream.extended_s3_configuration[0].s3_backup_configuration) == 0
    )
    error_message = "JSON is not gzip, or is converted or backed up unasked."
  }
}

run "originals_are_backed_up_on_request" {
  variables {
    originals_backup = true
  }

  assert {
    condition = (
      module.delivery[0].stream.extended_s3_configuration[0].s3_backup_mode == "Enabled" &&
      startswith(one(module.delivery[0].stream.extended_s3_configuration[0].s3_backup_configuration).prefix, "originals/")
    )
    error_message = "Originals are not kept."
  }
}

run "parquet_converts_and_keeps_originals" {
  variables {
    format        = "parquet"
    event_columns = { amount = "double" }
  }

  assert {
    condition = (
      module.delivery[0].stream.extended_s3_configuration[0].compression_format == "UNCOMPRESSED" &&
      one(module.delivery[0].stream.extended_s3_configuration[0].data_format_conversion_configuration).enabled
    )
    error_message = "Firehose takes Parquet only with compression_format UNCOMPRESSED and conversion on."
  }

  assert {
    condition = (
      one(one(module.delivery[0].stream.extended_s3_configuration[0].data_format_conversion_configuration).schema_configuration).table_name == module.table[0].table.name &&
      one(one(module.delivery[0].stream.extended_s3_configuration[0].data_format_conversion_configuration).schema_configuration).database_name == aws_glue_catalog_database.lake[0].name
    )
    error_message = "The conversion reads another table than the one that is made."
  }

  assert {
    condition     = contains(jsondecode(module.delivery[0].policies.catalog.policy).Statement[0].Resource, module.table[0].table.arn) && contains(jsondecode(module.delivery[0].policies.catalog.policy).Statement[0].Action, "glue:GetTableVersions")
    error_message = "Firehose may not read the table it converts by."
  }

  assert {
    condition     = module.delivery[0].stream.extended_s3_configuration[0].s3_backup_mode == "Enabled"
    error_message = "Conversion keeps listed columns only, so originals must be kept."
  }
}

run "direct_put_is_encrypted_and_needs_no_source" {
  assert {
    condition = (
      one(module.delivery[0].stream.server_side_encryption).enabled &&
      length(module.delivery[0].stream.kinesis_source_configuration) == 0 &&
      length(aws_kinesis_stream.source) == 0 && module.delivery[0].policies.source == null
    )
    error_message = "Direct put is not encrypted, or has a source."
  }
}

run "a_kinesis_stream_is_made_and_read" {
  variables {
    stream_source = "kinesis"
  }

  assert {
    condition = (
      one(module.delivery[0].stream.kinesis_source_configuration).kinesis_stream_arn == aws_kinesis_stream.source[0].arn &&
      jsondecode(module.delivery[0].policies.source.policy).Statement[0].Resource == aws_kinesis_stream.source[0].arn &&
      aws_kinesis_stream.source[0].encryption_type == "KMS"
    )
    error_message = "The stream that is made is not read, or Firehose may not read it, or it is not encrypted."
  }

  assert {
    condition     = length(module.delivery[0].stream.server_side_encryption) == 0
    error_message = "Firehose refuses encryption of its own on a Kinesis source."
  }

  assert {
    condition     = output.kinesis_stream_name == aws_kinesis_stream.source[0].name && strcontains(output.put_record_command, "aws kinesis put-record") && strcontains(output.put_record_command, aws_kinesis_stream.source[0].name)
    error_message = "The outputs do not say where producers put records."
  }

  assert {
    condition     = strcontains(output.redrive_command, "--to kinesis:${aws_kinesis_stream.source[0].name} ")
    error_message = "What failed is not sent again by the way it came."
  }
}

run "a_given_kinesis_stream_is_read" {
  variables {
    stream_source       = "kinesis"
    kinesis_stream_arn  = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
    kinesis_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/theirs"
  }

  assert {
    condition = (
      length(aws_kinesis_stream.source) == 0 &&
      one(module.delivery[0].stream.kinesis_source_configuration).kinesis_stream_arn == var.kinesis_stream_arn
    )
    error_message = "The given stream is not read."
  }

  assert {
    condition     = join(" ", [for statement in jsondecode(module.delivery[0].policies.source.policy).Statement : statement.Resource]) == "${var.kinesis_stream_arn} ${var.kinesis_kms_key_arn}"
    error_message = "Firehose may not read the given stream, or not decrypt it, or may more."
  }

  assert {
    condition     = one([for statement in jsondecode(module.delivery[0].policies.source.policy).Statement : statement.Condition if statement.Sid == "Decrypt"]) == { StringEquals = { "kms:ViaService" = "kinesis.eu-central-1.amazonaws.com" } }
    error_message = "Firehose may use the key for more than the stream."
  }

  assert {
    condition     = output.kinesis_stream_name == "theirs"
    error_message = "The output does not name the given stream."
  }
}

run "without_the_function_lines_come_as_they_are" {
  variables {
    transform = false
  }

  assert {
    condition     = length(module.transform) == 0 && module.delivery[0].policies.invoke == null
    error_message = "Something of the function is still made."
  }

  assert {
    condition = (
      length(module.delivery[0].stream.extended_s3_configuration[0].dynamic_partitioning_configuration) == 0 &&
      !strcontains(module.delivery[0].stream.extended_s3_configuration[0].prefix, "partitionKeyFromLambda") &&
      strcontains(module.delivery[0].stream.extended_s3_configuration[0].prefix, "!{timestamp:yyyy-MM-dd}")
    )
    error_message = "The prefix is not by arrival time."
  }

  assert {
    condition = (
      one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).enabled &&
      one(one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).processors).type == "AppendDelimiterToRecord" &&
      length(one(one(module.delivery[0].stream.extended_s3_configuration[0].processing_configuration).processors).parameters) == 0
    )
    error_message = "Records are not ended by a newline."
  }

  assert {
    condition     = output.redrive_command == null && output.function_name == null
    error_message = "Outputs name what is not there."
  }
}

run "parquet_needs_no_function" {
  variables {
    transform     = false
    format        = "parquet"
    event_columns = { amount = "double" }
  }

  assert {
    condition     = module.delivery[0].stream.extended_s3_configuration[0].prefix == "arrivals_parquet/arrival_date=!{timestamp:yyyy-MM-dd}/" && module.table[0].table.name == "arrivals_parquet"
    error_message = "Parquet by arrival has no folder or table of its own."
  }
}

run "firehose_writes_the_lake_and_its_log_only" {
  assert {
    condition = length(setsubtract(
      flatten([for statement in jsondecode(module.delivery[0].policies.lake.policy).Statement : statement.Resource]),
      [
        module.lake_bucket.bucket.arn,
        "${module.lake_bucket.bucket.arn}/events*", "${module.lake_bucket.bucket.arn}/arrivals*",
        "${module.lake_bucket.bucket.arn}/errors/*", "${module.lake_bucket.bucket.arn}/originals/*",
        module.delivery[0].log_streams["delivery"].arn, module.delivery[0].log_streams["originals"].arn,
      ],
    )) == 0
    error_message = "Firehose may touch more than the lake's folders and its log."
  }

  assert {
    condition     = !anytrue([for action in flatten([for statement in jsondecode(module.delivery[0].policies.lake.policy).Statement : statement.Action]) : strcontains(action, "*") || strcontains(action, "Delete")])
    error_message = "Firehose may delete, or do anything."
  }

  assert {
    condition     = jsondecode(module.delivery[0].role.assume_role_policy).Statement == [{ Effect = "Allow", Principal = { Service = "firehose.amazonaws.com" }, Action = "sts:AssumeRole", Condition = { StringEquals = { "sts:ExternalId" = "123456789012" } } }]
    error_message = "Others than this account's Firehose may take the role."
  }

  assert {
    condition     = one(module.delivery[0].stream.extended_s3_configuration[0].cloudwatch_logging_options).enabled
    error_message = "Firehose does not log."
  }
}
