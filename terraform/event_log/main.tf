# The event log: each event of a Kinesis stream as an item of a table, and aside what cannot be one.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  index = "search"

  counts = { for name in [
    "events", "stored", "unreadable", "raw", "text_numbers", "overflow", "duplicates", "conflicts", "dead_letters", "failures",
  ] : name => ["Nozzle", name, "FunctionName", var.reader.name] }

  table_metric = { for name in ["ConsumedWriteCapacityUnits", "WriteThrottleEvents"] : name => ["AWS/DynamoDB", name, "TableName", var.reader.name] }
}

resource "aws_dynamodb_table" "events" {
  #checkov:skip=CKV_AWS_28:a second copy that can be restored doubles the cost, and is the owner's decision
  #checkov:skip=CKV_AWS_119:the key AWS manages will do, unless the owner's rules say otherwise
  name         = var.reader.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "eventId"

  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = var.search_key == "" ? ["eventId"] : ["eventId", "searchKey", "timestamp"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.search_key == "" ? [] : [local.index]

    content {
      name            = global_secondary_index.value
      hash_key        = "searchKey"
      range_key       = "timestamp"
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = var.ttl_hours > 0 ? ["ttl"] : []

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
  title       = "Event log"
  description = "Puts each event of a Kinesis stream into the table ${var.reader.name}."

  environment = merge(
    {
      TABLE_NAME    = aws_dynamodb_table.events.name
      EVENT_ID      = var.event_id
      ON_CONFLICT   = var.on_conflict
      DATA          = var.data
      ON_UNREADABLE = var.on_unreadable
    },
    var.search_key != "" ? { SEARCH_KEY = var.search_key, SEARCH_BUCKETS = tostring(var.search_buckets) } : {},
    var.ttl_hours > 0 ? { LOG_TTL_HOURS = tostring(var.ttl_hours) } : {},
  )

  statements = [{
    # It reads what stands in an event's place, and at its start whether the table is there.
    sid       = "Keep"
    actions   = ["dynamodb:BatchGetItem", var.event_id == "record" ? "dynamodb:BatchWriteItem" : "dynamodb:PartiQLInsert"]
    resources = [aws_dynamodb_table.events.arn]
  }]

  timeout_seconds = 60
  batch           = { records = 1000, seconds = 1 }
  folders         = [var.overflow_folder]

  advice = {
    behind       = "raise event_log_parallelization_factor, or let the stream have more shards."
    dead_letters = "`reason` says why: data that is unreadable (event_log_on_unreadable), a conflict (event_log_on_conflict), or an item that the table refuses. Mend the producer or the setting."
  }

  alarms = merge(
    {
      table-throttled = {
        metric      = local.table_metric["WriteThrottleEvents"]
        limit       = 0
        description = "The table ${var.reader.name} throttles writes; the function tries again, and falls behind if that lasts. A new table takes 4,000 writes a second and doubles by itself: warm it up before a burst. Else a partition key is hot, or the account's quota is reached."
      }
    },
    var.search_key == "" ? {} : {
      index-throttled = {
        metric      = concat(local.table_metric["WriteThrottleEvents"], ["GlobalSecondaryIndexName", local.index])
        limit       = 0
        description = "The index ${local.index} throttles writes, and with it the table: one search key has more than 1,000 writes a second. Raise event_log_search_buckets; a search then asks each bucket."
      }
    },
  )
}
