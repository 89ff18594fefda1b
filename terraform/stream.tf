# The stream: source, function, prefix and format in one resource.

locals {
  reads_kinesis = var.lake && var.stream_source == "kinesis"
  has_kinesis   = local.reads_kinesis || var.event_log
  makes_kinesis = local.has_kinesis && var.kinesis_stream_arn == ""
  source_arn    = local.makes_kinesis ? one(aws_kinesis_stream.source[*].arn) : var.kinesis_stream_arn

  # Conversion drops fields that are no columns, so what came must be kept somewhere.
  backs_up_originals = var.originals_backup || var.format == "parquet"

  # Firehose does not store a parameter that equals its default, and a plan would then never be empty.
  # The size and the interval cannot equal theirs, see their variables.
  processor_parameters = merge(
    {
      LambdaArn               = one(module.transform[*].alias.arn)
      BufferSizeInMBs         = tostring(var.transform_buffer_megabytes)
      BufferIntervalInSeconds = tostring(var.transform_buffer_seconds)
    },
    var.transform_retries != 3 ? { NumberOfRetries = tostring(var.transform_retries) } : {},
  )
}

resource "aws_kinesis_stream" "source" {
  count = local.makes_kinesis ? 1 : 0

  name             = "${local.name}-events"
  retention_period = var.kinesis_retention_hours
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"

  stream_mode_details { stream_mode = "ON_DEMAND" }
}

resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:Firehose logs errors and ARNs, never a record
  #checkov:skip=CKV_AWS_338:log_retention_days is the owner's choice
  count = var.lake ? 1 : 0

  name              = "/aws/kinesisfirehose/${local.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = toset(var.lake ? ["delivery", "originals"] : [])

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.delivery[0].name
}

resource "aws_kinesis_firehose_delivery_stream" "events" {
  count = var.lake ? 1 : 0

  name        = local.stream_name
  destination = "extended_s3"

  dynamic "kinesis_source_configuration" {
    for_each = local.reads_kinesis ? [local.source_arn] : []

    content {
      kinesis_stream_arn = kinesis_source_configuration.value
      role_arn           = aws_iam_role.delivery[0].arn
    }
  }

  # Not with a Kinesis source: there the records are encrypted as the source is.
  dynamic "server_side_encryption" {
    for_each = local.reads_kinesis ? [] : ["AWS_OWNED_CMK"]

    content {
      enabled  = true
      key_type = server_side_encryption.value
    }
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.delivery[0].arn
    bucket_arn          = aws_s3_bucket.lake.arn
    prefix              = module.partitioning.prefix
    error_output_prefix = module.partitioning.error_prefix
    buffering_size      = var.buffer_megabytes
    buffering_interval  = var.buffer_seconds
    compression_format  = var.format == "parquet" ? "UNCOMPRESSED" : "GZIP"
    s3_backup_mode      = local.backs_up_originals ? "Enabled" : "Disabled"

    dynamic "dynamic_partitioning_configuration" {
      for_each = var.transform ? [true] : []

      content {
        enabled        = true
        retry_duration = 300
      }
    }

    processing_configuration {
      enabled = true

      dynamic "processors" {
        for_each = var.transform ? ["Lambda"] : ["AppendDelimiterToRecord"]

        content {
          type = processors.value

          dynamic "parameters" {
            for_each = processors.value == "Lambda" ? local.processor_parameters : {}

            content {
              parameter_name  = parameters.key
              parameter_value = parameters.value
            }
          }
        }
      }
    }

    dynamic "data_format_conversion_configuration" {
      for_each = var.format == "parquet" ? [true] : []

      content {
        enabled = true

        input_format_configuration {
          deserializer {
            open_x_json_ser_de {}
          }
        }

        output_format_configuration {
          serializer {
            parquet_ser_de {}
          }
        }

        schema_configuration {
          database_name = aws_glue_catalog_database.lake[0].name
          table_name    = aws_glue_catalog_table.events[0].name
          role_arn      = aws_iam_role.delivery[0].arn
        }
      }
    }

    dynamic "s3_backup_configuration" {
      for_each = local.backs_up_originals ? [true] : []

      content {
        role_arn            = aws_iam_role.delivery[0].arn
        bucket_arn          = aws_s3_bucket.lake.arn
        prefix              = module.partitioning.originals_prefix
        error_output_prefix = module.partitioning.error_prefix
        buffering_size      = var.buffer_megabytes
        buffering_interval  = var.buffer_seconds
        compression_format  = "GZIP"

        cloudwatch_logging_options {
          enabled         = true
          log_group_name  = aws_cloudwatch_log_group.delivery[0].name
          log_stream_name = aws_cloudwatch_log_stream.delivery["originals"].name
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery[0].name
      log_stream_name = aws_cloudwatch_log_stream.delivery["delivery"].name
    }
  }

  lifecycle { create_before_destroy = true }

  # Firehose tries its role when the stream is made, and writes as soon as it is.
  depends_on = [
    aws_iam_role_policy.lake,
    aws_iam_role_policy.invoke,
    aws_iam_role_policy.source,
    aws_iam_role_policy.catalog,
    aws_s3_bucket_policy.lake,
    aws_s3_bucket_server_side_encryption_configuration.lake,
  ]
}
