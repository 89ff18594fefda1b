# The function that Firehose calls: its settings, and what it may do.

locals {
  # Firehose waits 300 s for an answer. The function gives up a second before this, so with its
  # retries this is how long an outage of the claim table is sat out.
  function_timeout_seconds = 240

  transforms = var.lake && var.transform

  # What is the same for each function.
  functions = {
    permissions_boundary = local.permissions_boundary
    log_level            = var.function_log_level
    log_retention_days   = var.log_retention_days
    alarm_topic_arn      = aws_sns_topic.alarms.arn
  }

  # And for what reads streams and writes into the bucket.
  place = {
    bucket              = module.lake_bucket.bucket.bucket
    bucket_arn          = module.lake_bucket.bucket.arn
    bucket_kms_key_arn  = var.lake_kms_key_arn
    given_up_folder     = "aws/lambda/" # Lambda chooses it
    streams_kms_key_arn = var.kinesis_kms_key_arn
    service_suffix      = local.service_suffix
  }
}

module "transform" {
  source = "./function"
  count  = local.transforms ? 1 : 0

  name        = local.function_name
  role_name   = "${local.global_name}-transform"
  description = "Checks, enriches, deduplicates and partitions events for Firehose."
  zip         = var.function_zip

  # A stream of its own alias: it goes on calling the version that returns the keys its prefix names.
  alias = "stream-${local.stream_generation}"

  environment = merge(
    {
      EVENT_CACHE_TABLE_NAME = module.claims["lake"].table.name
      EVENT_CACHE_TTL_HOURS  = tostring(var.claim_hours)
      EVENT_IDENTITY         = var.event_identity
      PARTITION_KEYS         = join(",", module.partitioning.keys)
      EVENT_YEARS            = var.event_years
      ON_CLAIM_FAILURE       = var.on_claim_failure
      ON_DIFFERING_DUPLICATE = var.on_differing_duplicate
      BATCH_PARTITIONS_MAX   = tostring(min(var.active_partitions_quota, 100000))
    },
    { for fields in [join(",", var.event_fields)] : "EVENT_FIELDS" => fields if fields != "event_uuid,event_name,created_at" },
    length(var.event_types) > 0 ? { EVENT_TYPES = join(",", var.event_types) } : {},
  )

  statements = [{
    sid       = "Claim"
    actions   = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"]
    resources = [module.claims["lake"].table.arn]
  }]

  memory_megabytes     = var.function_memory_megabytes
  timeout_seconds      = local.function_timeout_seconds
  reserved_concurrency = var.function_reserved_concurrency
  shared               = local.functions

  computed_alarms = {
    refused = {
      expression    = "IF(records > 0, 100 * refused / records, 0)"
      counts        = ["records", "refused"]
      limit         = var.refused_percent_max
      periods       = 3
      periods_above = 2
      description   = "More than ${var.refused_percent_max} % of the records are refused. The dashboard ${local.global_name} shows the reasons; `nozzle explain` shows why for one event. Mend the producer, or event_years and event_types; then send the records under errors/ through again with `nozzle redrive`."
    }
  }

  advice = {
    errors    = "A call of the function ended in an error. Firehose tries the batch ${var.transform_retries} times more, then writes it under errors/. Read /aws/lambda/${local.function_name} for the sentence: a wrong setting, a claim table that cannot answer, or memory that ran out."
    throttled = "Calls of the function were refused for want of concurrency; Firehose counts each as failed. Take function_reserved_concurrency away or raise it, or ask AWS for a higher limit of the account. Then send the records under errors/ through again with `nozzle redrive`."
    slow      = "A call took more than 80 % of the function's ${local.function_timeout_seconds} s. Nearly always the claim table: look at its throttles and at claim_milliseconds. If neither, raise function_memory_megabytes."
  }
}
