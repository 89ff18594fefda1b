# A function that Kinesis streams are read with: what calls it, what it reads, and where it sets aside what it cannot do.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  lambda_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration", "IteratorAge"] : name => ["AWS/Lambda", name, "FunctionName", var.reader.name] }
}

# Dead letters a second time, for who works them off; each is in the bucket too.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.reader.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

module "function" {
  source = "../function"

  name        = var.reader.name
  role_name   = var.reader.role_name
  description = var.description
  zip         = var.reader.zip
  alias       = "live"

  environment = merge(var.environment, {
    S3_BUCKET          = var.reader.place.bucket
    DEAD_LETTER_PREFIX = var.reader.dead_letter_folder
    DLQ_URL            = aws_sqs_queue.dead_letters.url
  })

  statements = concat(
    var.statements,
    [
      {
        # Lambda does it with the function's role.
        sid       = "Read"
        actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = values(var.reader.streams)
      },
      {
        sid       = "Put"
        actions   = ["s3:PutObject"]
        resources = [for folder in concat([var.reader.dead_letter_folder], var.folders, [var.reader.place.given_up_folder]) : "${var.reader.place.bucket_arn}/${folder}*"]
      },
      {
        # Lambda demands it for what it gives up.
        sid       = "FindBucket"
        actions   = ["s3:ListBucket"]
        resources = [var.reader.place.bucket_arn]
      },
      { sid = "Queue", actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.dead_letters.arn] },
    ],
    var.reader.place.bucket_kms_key_arn != "" ? [{ sid = "Encrypt", actions = ["kms:GenerateDataKey"], resources = [var.reader.place.bucket_kms_key_arn], via = "s3.${var.reader.place.service_suffix}" }] : [],
    var.reader.place.streams_kms_key_arn != "" ? [{ sid = "Decrypt", actions = ["kms:Decrypt"], resources = [var.reader.place.streams_kms_key_arn], via = "kinesis.${var.reader.place.service_suffix}" }] : [],
  )

  memory_megabytes = var.reader.memory_megabytes
  timeout_seconds  = var.timeout_seconds
  shared           = var.reader.shared

  advice = {
    errors    = "A call of ${var.reader.name} ended in an error, and its shard waits: the batch comes again until it is done or its records expire. Read /aws/lambda/${var.reader.name} for the sentence: a wrong setting, a table, bucket or queue that is missing or denied, or memory that ran out. Nothing needs to be sent again."
    throttled = "Calls of ${var.reader.name} were refused for want of concurrency; the batches wait and come again. Ask AWS for a higher limit of the account, or take a reservation from another function. Nothing needs to be sent again."
    slow      = "A call of ${var.reader.name} took more than 80 % of its ${var.timeout_seconds} s. Nearly always a table: look at its throttles. If there are none, raise its memory."
  }

  alarms = merge(var.alarms, {
    behind = {
      metric      = local.lambda_metric["IteratorAge"]
      limit       = 900000
      description = "${var.reader.name} is 15 minutes behind its stream. Look at its errors, which hold up a shard, and at the throttles of its tables; if neither, ${var.advice.behind} Records are lost to it when they are older than the stream keeps them; Lambda then writes them under ${var.reader.place.given_up_folder}."
    }
    dead-letters = {
      metric      = ["Nozzle", "dead_letters", "FunctionName", var.reader.name]
      limit       = 0
      description = "Records were set aside, each with its reason, under ${var.reader.dead_letter_folder} and in the queue ${aws_sqs_queue.dead_letters.name}; the rest went on. ${var.advice.dead_letters}"
    }
  })

  computed_alarms = var.computed_alarms
}

resource "aws_lambda_event_source_mapping" "stream" {
  for_each = var.reader.streams

  event_source_arn  = each.value
  function_name     = module.function.alias.arn
  starting_position = "TRIM_HORIZON"

  batch_size                         = var.batch.records
  maximum_batching_window_in_seconds = var.batch.seconds
  parallelization_factor             = var.reader.parallelization_factor

  # Until the records expire: what cannot be done is set aside by the function, so a failure is the world's.
  maximum_retry_attempts         = -1
  maximum_record_age_in_seconds  = -1
  bisect_batch_on_function_error = true
  function_response_types        = ["ReportBatchItemFailures"]

  destination_config {
    on_failure { destination_arn = var.reader.place.bucket_arn }
  }
}
