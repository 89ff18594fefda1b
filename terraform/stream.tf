# The stream: Firehose, and the Kinesis stream that is read.

locals {
  reads_kinesis = var.lake && var.stream_source == "kinesis"
  has_kinesis   = local.reads_kinesis || var.event_log || var.event_processor
  makes_kinesis = local.has_kinesis && var.kinesis_stream_arn == ""
  source_arn    = local.makes_kinesis ? one(aws_kinesis_stream.source[*].arn) : var.kinesis_stream_arn

  # Conversion drops fields that are no columns, so what came must be kept somewhere.
  backs_up_originals = var.originals_backup || var.format == "parquet"
}

resource "aws_kinesis_stream" "source" {
  count = local.makes_kinesis ? 1 : 0

  name             = "${local.name}-events"
  retention_period = var.kinesis_retention_hours
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"

  stream_mode_details { stream_mode = "ON_DEMAND" }
}

module "delivery" {
  source = "./delivery"
  count  = var.lake ? 1 : 0

  name                 = local.stream_name
  environment          = local.name
  generation           = local.stream_generation
  role_name            = "${local.global_name}-delivery"
  permissions_boundary = local.permissions_boundary
  account_id           = local.account_id
  log_retention_days   = var.log_retention_days

  source_stream = local.reads_kinesis ? { arn = local.source_arn } : null
  processor = !var.transform ? null : {
    alias_arn        = module.transform[0].alias.arn
    buffer_megabytes = var.transform_buffer_megabytes
    buffer_seconds   = var.transform_buffer_seconds
    retries          = var.transform_retries
  }

  place = local.place
  folders = {
    prefix           = module.partitioning.prefix
    error_prefix     = module.partitioning.error_prefix
    originals_prefix = module.partitioning.originals_prefix
    errors           = module.partitioning.error_folder
    originals        = module.partitioning.originals_folder
  }
  buffer             = { megabytes = var.buffer_megabytes, seconds = var.buffer_seconds }
  backs_up_originals = local.backs_up_originals

  delay_seconds_max       = var.delivery_delay_seconds_max
  active_partitions_quota = var.active_partitions_quota

  catalog = var.format != "parquet" ? null : {
    database = aws_glue_catalog_database.lake[0].name
    table    = module.table[0].table.name
    arns = [
      "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account_id}:catalog",
      aws_glue_catalog_database.lake[0].arn,
      module.table[0].table.arn,
    ]
  }

  # It writes as soon as it is made.
  depends_on = [module.lake_bucket.policy, module.lake_bucket.encryption]
}
