# The star-schema loader: packets of tables into the Parquet files of a star.

locals {
  star_schema_name = "${local.name}-star-schema"

  # The longest names that still fit S3's 63 characters.
  star_buckets = { for use, word in { ingestion = "raw", processed = "star" } : use => {
    made = var.star_schema_buckets[use] == ""
    name = var.star_schema_buckets[use] != "" ? var.star_schema_buckets[use] : "${local.name}-${word}-${local.account_id}-${var.region}"
  } }
}

module "star_schema" {
  source = "./star_schema"
  count  = var.star_schema ? 1 : 0

  name             = local.star_schema_name
  role_name        = "${local.global_name}-star-schema"
  zip              = var.star_schema_zip
  memory_megabytes = var.star_schema_memory_megabytes
  shared           = local.functions

  buckets             = local.star_buckets
  kms_key_arn         = var.lake_kms_key_arn
  alarm_kms_key_arn   = var.alarm_kms_key_arn
  versioning          = var.lake_versioning
  deletion_protection = var.deletion_protection
  refused_days        = var.error_expiration_days

  star     = try(var.star_schema_description.star, null)
  tables   = try(var.star_schema_description.tables, null)
  database = "${local.database_name}_star"

  parameter_prefix = var.star_schema_parameter_prefix != "" ? var.star_schema_parameter_prefix : "/${local.name}/star/"
  parameters_arn   = "arn:${data.aws_partition.current.partition}:ssm:${var.region}:${local.account_id}:parameter"
  partition        = data.aws_partition.current.partition
  service_suffix   = local.service_suffix

  refused_rows_max    = var.star_schema_refused_rows_max
  refused_percent_max = var.refused_percent_max
  late_hours          = var.star_schema_late_hours
}
