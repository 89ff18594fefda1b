# Athena: a table over the lake, whose partitions are computed from the keys, and some queries to begin with.

locals {
  query_results_folder = "query-results/"

  database_name = replace(local.name, "-", "_")
  has_events    = var.lake || var.event_processor # in tables
}

resource "aws_glue_catalog_database" "lake" {
  count = local.has_events ? 1 : 0

  name        = local.database_name
  description = "The lake of ${local.name}."
}

module "table" {
  source = "./athena_table"
  count  = var.lake ? 1 : 0

  name        = module.partitioning.layout
  database    = aws_glue_catalog_database.lake[0].name
  description = "What the stream of ${local.name} delivers."
  location    = module.partitioning.location
  format      = var.format
  parameters  = module.partitioning.table_parameters
  key_columns = module.partitioning.key_columns
  columns     = [for name, type in module.partitioning.columns : { name = name, type = type }]
}

resource "aws_athena_workgroup" "lake" {
  count = local.has_events || var.star_schema ? 1 : 0

  name          = local.name
  description   = "Queries on the lake of ${local.name}."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.query_scan_gigabytes_max * pow(1024, 3)

    result_configuration {
      output_location = "s3://${local.bucket_name}/${local.query_results_folder}"

      encryption_configuration {
        encryption_option = var.lake_kms_key_arn != "" ? "SSE_KMS" : "SSE_S3"
        kms_key_arn       = var.lake_kms_key_arn != "" ? var.lake_kms_key_arn : null
      }
    }
  }
}

# The queries name the keys that are in use; those whose values are not listed must be given with `=`.
locals {
  table = "\"${local.database_name}\".\"${module.partitioning.layout}\""

  conditions_to_give = [for key in module.partitioning.keys_to_give : "${key} = 'PUT ${upper(key)} HERE'"]
  conditions_on_time = concat(
    [for key in ["year", "month"] : "${key} = ${key}(current_date)" if contains(module.partitioning.keys, key)],
    [for key in ["arrival_date"] : "${key} >= date_format(current_date - interval '7' day, '%Y-%m-%d')" if contains(module.partitioning.keys, key)],
  )
  conditions = join("\n  AND ", concat(["true"], local.conditions_to_give, local.conditions_on_time))

  identity = join(", ", module.partitioning.identity_columns)

  how_to_give = length(local.conditions_to_give) == 0 ? "" : join("\n", [
    "-- Each query must give ${join(" and ", module.partitioning.keys_to_give)} with `=`: their values are not listed in event_types.",
    "-- Give them as they stand in the folder's name: all but A-Z a-z 0-9 _ - . ~ is percent-encoded there.",
    "",
  ])

  queries = {
    events-by-partition = {
      description = "How many events each partition has"
      select      = "SELECT ${join(", ", module.partitioning.keys)}, count(*) AS events"
      rest        = "GROUP BY ${join(", ", module.partitioning.keys)}\nORDER BY ${join(", ", module.partitioning.keys)}"
    }
    latest-events = { description = "The latest events", select = "SELECT *", rest = "ORDER BY ${var.transform ? "created_datetime" : "arrival_date"} DESC\nLIMIT 100" }
    doubled-events = {
      description = "Events that were delivered more than once"
      select      = "SELECT ${local.identity}, count(*) AS copies"
      rest        = "GROUP BY ${local.identity}\nHAVING count(*) > 1\nORDER BY copies DESC\nLIMIT 100"
    }
  }
}

resource "aws_athena_named_query" "lake" {
  for_each = { for name, query in local.queries : name => query if var.lake }

  name        = "${local.name}-${each.key}"
  description = each.value.description
  workgroup   = aws_athena_workgroup.lake[0].name
  database    = aws_glue_catalog_database.lake[0].name
  query       = "${local.how_to_give}${each.value.select}\nFROM ${local.table}\nWHERE ${local.conditions}\n${each.value.rest}\n"
}
