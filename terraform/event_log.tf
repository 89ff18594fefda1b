# The event log: each event of a Kinesis stream as an item of a table, and aside what cannot be one.

locals {
  event_log_name  = "${local.name}-event-log"
  event_log_index = "search"

  event_log_timeout_seconds = 60

  # In the bucket, by the function: what it could not accept, and data that is too large for an item.
  dead_letter_folder = "dead-letters/"
  overflow_folder    = "overflow/"
  # By Lambda, which chooses the name: batches whose records expired before they were done.
  given_up_folder = "aws/lambda/"
}

resource "aws_dynamodb_table" "event_log" {
  #checkov:skip=CKV_AWS_28:a second copy that can be restored doubles the cost, and is the owner's decision
  #checkov:skip=CKV_AWS_119:the key AWS manages will do, unless the owner's rules say otherwise
  count = var.event_log ? 1 : 0

  name         = local.event_log_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "eventId"

  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = var.event_log_search_key == "" ? ["eventId"] : ["eventId", "searchKey", "timestamp"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.event_log_search_key == "" ? [] : [local.event_log_index]

    content {
      name            = global_secondary_index.value
      hash_key        = "searchKey"
      range_key       = "timestamp"
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = var.event_log_ttl_hours > 0 ? ["ttl"] : []

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  server_side_encryption { enabled = true }
}

# Dead letters a second time, for who works them off; each is in the bucket too.
resource "aws_sqs_queue" "dead_letters" {
  count = var.event_log ? 1 : 0

  name                      = "${local.event_log_name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

module "event_log" {
  source = "./function"
  count  = var.event_log ? 1 : 0

  name        = local.event_log_name
  role_name   = "${local.global_name}-event-log"
  description = "Puts each event of a Kinesis stream into the table ${local.event_log_name}."
  zip         = var.event_log_zip
  alias       = "live"

  environment = merge(
    {
      TABLE_NAME         = aws_dynamodb_table.event_log[0].name
      EVENT_ID           = var.event_log_id
      ON_CONFLICT        = var.event_log_on_conflict
      DATA               = var.event_log_data
      ON_UNREADABLE      = var.event_log_on_unreadable
      S3_BUCKET          = aws_s3_bucket.lake.bucket
      DEAD_LETTER_PREFIX = local.dead_letter_folder
      DLQ_URL            = aws_sqs_queue.dead_letters[0].url
    },
    var.event_log_search_key != "" ? { SEARCH_KEY = var.event_log_search_key, SEARCH_BUCKETS = tostring(var.event_log_search_buckets) } : {},
    var.event_log_ttl_hours > 0 ? { LOG_TTL_HOURS = tostring(var.event_log_ttl_hours) } : {},
  )

  statements = concat(
    [
      {
        # It reads what stands in an event's place, and at its start whether the table is there.
        sid       = "Keep"
        actions   = ["dynamodb:BatchGetItem", var.event_log_id == "record" ? "dynamodb:BatchWriteItem" : "dynamodb:PartiQLInsert"]
        resources = [aws_dynamodb_table.event_log[0].arn]
      },
      {
        # Lambda does it with the function's role.
        sid       = "Read"
        actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = [local.source_arn]
      },
      {
        sid       = "SetAside"
        actions   = ["s3:PutObject"]
        resources = [for folder in [local.dead_letter_folder, local.overflow_folder, local.given_up_folder] : "${aws_s3_bucket.lake.arn}/${folder}*"]
      },
      {
        # Lambda demands it for what it gives up.
        sid       = "FindBucket"
        actions   = ["s3:ListBucket"]
        resources = [aws_s3_bucket.lake.arn]
      },
      { sid = "Queue", actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.dead_letters[0].arn] },
    ],
    var.lake_kms_key_arn != "" ? [{ sid = "Encrypt", actions = ["kms:GenerateDataKey"], resources = [var.lake_kms_key_arn], via = "s3.${local.service_suffix}" }] : [],
    var.kinesis_kms_key_arn != "" ? [{ sid = "Decrypt", actions = ["kms:Decrypt"], resources = [var.kinesis_kms_key_arn], via = "kinesis.${local.service_suffix}" }] : [],
  )

  memory_megabytes = var.event_log_memory_megabytes
  timeout_seconds  = local.event_log_timeout_seconds
  shared           = local.functions

  advice = {
    errors    = "A call of the event log's function ended in an error, and its shard waits: the batch comes again until it is done or kinesis_retention_hours are over. Read /aws/lambda/${local.event_log_name} for the sentence: a wrong setting, a table, bucket or queue that is missing or denied, or memory that ran out. Nothing needs to be sent again."
    throttled = "Calls of the event log's function were refused for want of concurrency; the batches wait and come again. Ask AWS for a higher limit of the account, or take a reservation from another function. Nothing needs to be sent again."
    slow      = "A call of the event log's function took more than 80 % of its ${local.event_log_timeout_seconds} s. Nearly always the table: look at its throttles. If there are none, raise event_log_memory_megabytes."
  }
}

resource "aws_lambda_event_source_mapping" "event_log" {
  count = var.event_log ? 1 : 0

  event_source_arn  = local.source_arn
  function_name     = module.event_log[0].alias.arn
  starting_position = "TRIM_HORIZON"

  batch_size                         = 1000
  maximum_batching_window_in_seconds = 1
  parallelization_factor             = var.event_log_parallelization_factor

  # Until the records expire: what cannot be done is set aside by the function, so a failure is the world's.
  maximum_retry_attempts         = -1
  maximum_record_age_in_seconds  = -1
  bisect_batch_on_function_error = true
  function_response_types        = ["ReportBatchItemFailures"]

  destination_config {
    on_failure { destination_arn = aws_s3_bucket.lake.arn }
  }
}
