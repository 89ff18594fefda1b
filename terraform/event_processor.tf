# The event processor: each event of one or more Kinesis streams counted and archived, once.

locals {
  event_processor_name = "${local.name}-event-processor"

  given_stream_arns = concat(var.kinesis_stream_arn != "" ? [var.kinesis_stream_arn] : [], var.event_processor_stream_arns)

  # Which of the claim tables is its own; none where copies are not looked for.
  processor_claims = one([for name, claims in module.claims : claims.table if name == { own = "event-processor", shared = "lake", none = "none" }[var.event_processor_claims]])
}

# How long the streams keep their records that others made: so long an event has to be remembered.
data "aws_kinesis_stream" "processed" {
  for_each = toset(var.event_processor && var.event_processor_claims != "none" ? local.given_stream_arns : [])

  name = element(split("/", each.key), -1)
}

module "event_processor" {
  source = "./event_processor"
  count  = var.event_processor ? 1 : 0

  reader = {
    name                   = local.event_processor_name
    role_name              = "${local.global_name}-event-processor"
    zip                    = var.event_processor_zip
    memory_megabytes       = var.event_processor_memory_megabytes
    streams                = merge({ source = local.source_arn }, { for arn in var.event_processor_stream_arns : arn => arn })
    parallelization_factor = var.event_processor_parallelization_factor
    place                  = local.place
    shared                 = local.functions
    dead_letter_folder     = local.processor_dead_letter_folder
  }

  deletion_protection = var.deletion_protection
  batch_seconds       = var.event_processor_batch_seconds

  archive_folder = local.archive_folder
  archive_years  = var.event_years
  database       = aws_glue_catalog_database.lake[0].name

  windows          = var.event_processor_windows
  unique_users     = var.event_processor_unique_users
  counter_slots    = var.event_processor_counter_slots
  counter_ttl_days = var.event_processor_counter_ttl_days

  # No shorter than any stream keeps a record: a copy of it may come so late.
  claims = local.processor_claims == null ? null : {
    table = local.processor_claims.name
    arn   = local.processor_claims.arn
    hours = max(var.claim_hours, local.makes_kinesis ? var.kinesis_retention_hours : 0, [for stream in data.aws_kinesis_stream.processed : stream.retention_period]...)
  }

  tables_arn            = "arn:${data.aws_partition.current.partition}:dynamodb:${var.region}:${local.account_id}:table"
  assignments           = { table = var.event_processor_assignments_table, lookup = var.event_processor_assignments_lookup, fields = var.event_processor_assignment_fields }
  experiments           = { table = var.event_processor_experiments_table, key = var.event_processor_experiment_key }
  lookup_kms_key_arns   = var.event_processor_lookup_kms_key_arns
  on_enrichment_failure = var.event_processor_on_enrichment_failure
  refused_percent_max   = var.refused_percent_max
}
