# The Firehose stream: source, function, prefix and format in one resource; where it logs.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  # Firehose does not store a parameter that equals its default, and a plan would then never be empty.
  # The size and the interval cannot equal theirs, see their variables.
  processor_parameters = var.processor == null ? {} : merge(
    {
      LambdaArn               = var.processor.alias_arn
      BufferSizeInMBs         = tostring(var.processor.buffer_megabytes)
      BufferIntervalInSeconds = tostring(var.processor.buffer_seconds)
    },
    var.processor.retries != 3 ? { NumberOfRetries = tostring(var.processor.retries) } : {},
  )
}

resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:Firehose logs errors and ARNs, never a record
  #checkov:skip=CKV_AWS_338:log_retention_days is the owner's choice
  name              = "/aws/kinesisfirehose/${var.environment}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = toset(["delivery", "originals"])

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.delivery.name
}

resource "aws_kinesis_firehose_delivery_stream" "events" {
  name        = var.name
  destination = "extended_s3"

  dynamic "kinesis_source_configuration" {
    for_each = var.source_stream[*].arn

    content {
      kinesis_stream_arn = kinesis_source_configuration.value
      role_arn           = aws_iam_role.delivery.arn
    }
  }

  # Not with a Kinesis source: there the records are encrypted as the source is.
  dynamic "server_side_encryption" {
    for_each = var.source_stream == null ? ["AWS_OWNED_CMK"] : []

    content {
      enabled  = true
      key_type = server_side_encryption.value
    }
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.delivery.arn
    bucket_arn          = var.place.bucket_arn
    prefix              = var.folders.prefix
    error_output_prefix = var.folders.error_prefix
    buffering_size      = var.buffer.megabytes
    buffering_interval  = var.buffer.seconds
    compression_format  = var.catalog == null ? "GZIP" : "UNCOMPRESSED"
    s3_backup_mode      = var.backs_up_originals ? "Enabled" : "Disabled"

    dynamic "dynamic_partitioning_configuration" {
      for_each = var.processor[*]

      content {
        enabled        = true
        retry_duration = 300
      }
    }

    processing_configuration {
      enabled = true

      dynamic "processors" {
        for_each = var.processor == null ? ["AppendDelimiterToRecord"] : ["Lambda"]

        content {
          type = processors.value

          dynamic "parameters" {
            for_each = local.processor_parameters

            content {
              parameter_name  = parameters.key
              parameter_value = parameters.value
            }
          }
        }
      }
    }

    dynamic "data_format_conversion_configuration" {
      for_each = var.catalog[*]

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
          database_name = var.catalog.database
          table_name    = var.catalog.table
          role_arn      = aws_iam_role.delivery.arn
        }
      }
    }

    dynamic "s3_backup_configuration" {
      for_each = var.backs_up_originals ? [true] : []

      content {
        role_arn            = aws_iam_role.delivery.arn
        bucket_arn          = var.place.bucket_arn
        prefix              = var.folders.originals_prefix
        error_output_prefix = var.folders.error_prefix
        buffering_size      = var.buffer.megabytes
        buffering_interval  = var.buffer.seconds
        compression_format  = "GZIP"

        cloudwatch_logging_options {
          enabled         = true
          log_group_name  = aws_cloudwatch_log_group.delivery.name
          log_stream_name = aws_cloudwatch_log_stream.delivery["originals"].name
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery.name
      log_stream_name = aws_cloudwatch_log_stream.delivery["delivery"].name
    }
  }

  lifecycle { create_before_destroy = true }

  # Firehose tries its role when the stream is made.
  depends_on = [
    aws_iam_role_policy.lake,
    aws_iam_role_policy.invoke,
    aws_iam_role_policy.source,
    aws_iam_role_policy.catalog,
  ]
}
