# The event processor: each event of a stream counted once in a table and archived once in a bucket, and aside what cannot be.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  assignments_index = one(regex("^(?:index:(.*)|key:.*)$", var.assignments.lookup))
}

# Counters, their users, and how far each shard is done.
resource "aws_dynamodb_table" "counters" {
  #checkov:skip=CKV_AWS_28:a counter that was set back would no longer agree with how far its shards are; `nozzle recount` sets it right by the archive
  #checkov:skip=CKV_AWS_119:the key AWS manages will do; a counter holds numbers, and users as hashes
  name         = var.reader.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "partition_key"
  range_key    = "sort_key"

  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = ["partition_key", "sort_key"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "ttl" {
    for_each = var.counter_ttl_days > 0 ? ["ttl"] : []

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  server_side_encryption { enabled = true }
}

module "reader" {
  source = "../stream_function"

  reader      = var.reader
  title       = "Event processor"
  description = "Counts each event of a Kinesis stream in the table ${var.reader.name}, and archives it."

  environment = merge(
    {
      DYNAMODB_TABLE        = aws_dynamodb_table.counters.name
      ARCHIVE_PREFIX        = var.archive_folder
      WINDOWS               = join(",", var.windows)
      UNIQUE_USERS          = var.unique_users
      COUNTER_SLOTS         = tostring(var.counter_slots)
      ON_ENRICHMENT_FAILURE = var.on_enrichment_failure
    },
    var.counter_ttl_days > 0 ? { COUNTER_TTL_DAYS = tostring(var.counter_ttl_days) } : {},
    var.claims == null ? {} : { EVENT_CACHE_TABLE_NAME = var.claims.table, EVENT_CACHE_TTL_HOURS = tostring(var.claims.hours) },
    var.assignments.table == "" ? {} : {
      ASSIGNMENTS_TABLE  = var.assignments.table
      ASSIGNMENTS_LOOKUP = var.assignments.lookup
      ASSIGNMENT_FIELDS  = join(",", var.assignments.fields)
    },
    var.experiments.table == "" ? {} : { EXPERIMENTS_TABLE = var.experiments.table, EXPERIMENT_KEY = var.experiments.key },
  )

  statements = concat(
    [
      {
        sid       = "Count"
        actions   = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"]
        resources = [aws_dynamodb_table.counters.arn]
      },
      {
        # Of an object that is there it reads which plan wrote it, and S3 demands it where one is replaced.
        sid       = "Compare"
        actions   = ["s3:GetObject"]
        resources = ["${var.reader.place.bucket_arn}/${var.archive_folder}*"]
      },
    ],
    var.claims == null ? [] : [{ sid = "Claim", actions = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"], resources = [var.claims.arn] }],
    var.assignments.table == "" ? [] : [
      local.assignments_index == null ?
      { sid = "Assignments", actions = ["dynamodb:BatchGetItem"], resources = ["${var.tables_arn}/${var.assignments.table}"] } :
      { sid = "Assignments", actions = ["dynamodb:Query"], resources = ["${var.tables_arn}/${var.assignments.table}/index/${local.assignments_index}"] }
    ],
    var.experiments.table == "" ? [] : [{ sid = "Experiments", actions = ["dynamodb:BatchGetItem"], resources = ["${var.tables_arn}/${var.experiments.table}"] }],
    length(var.lookup_kms_key_arns) == 0 ? [] : [
      { sid = "DecryptTables", actions = ["kms:Decrypt"], resources = var.lookup_kms_key_arns, via = "dynamodb.${var.reader.place.service_suffix}" },
    ],
  )

  timeout_seconds = 60
  batch           = { records = 10000, seconds = var.batch_seconds }
  folders         = [var.archive_folder]

  advice          = local.advice
  alarms          = local.alarms
  computed_alarms = local.computed_alarms
}

# The archive lies by the hour.
module "partitioning" {
  source = "../partitioning"

  bucket         = var.reader.place.bucket
  folder         = var.archive_folder
  transform      = true
  format         = "json"
  partition_keys = ["year", "month", "day", "hour"]
  event_years    = var.archive_years
  event_types    = []
  event_columns  = {}
}

module "archive" {
  source = "../athena_table"

  name        = "archive"
  database    = var.database
  description = "What ${var.reader.name} archived: each event once, with what was known of its experiment."
  location    = module.partitioning.location
  format      = "json"
  parameters  = module.partitioning.table_parameters
  key_columns = module.partitioning.key_columns

  columns = [for name, type in {
    event_id          = "string"
    event_type        = "string"
    user_id           = "string"
    experiment_id     = "string"
    timestamp         = "string"
    properties        = "string"
    metadata          = "string"
    record_id         = "string"
    event_datetime    = "string"
    assignment_id     = "string"
    variant           = "string"
    experiment_key    = "string"
    experiment_name   = "string"
    experiment_status = "string"

    time_since_assignment_seconds = "bigint"
    enrichment_error              = "boolean"
  } : { name = name, type = type }]
}
