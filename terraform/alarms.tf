# What rings: CloudWatch alarms and a rule on error files, all to one topic. Each says what to do.

resource "aws_sns_topic" "alarms" {
  # Alarms cannot publish to a topic under the AWS-managed key, so it is none or one that lets them.
  name              = "${local.name}-alarms"
  kms_master_key_id = var.alarm_kms_key_arn != "" ? var.alarm_kms_key_arn : null
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      # EventBridge takes no condition in a topic's policy: with one, its messages are refused.
      {
        Sid       = "ErrorObjects"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email != "" ? 1 : 0

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  of_stream   = { DeliveryStreamName = local.stream_name }
  of_function = { FunctionName = local.function_name }

  stream_alarms = merge(local.backs_up_originals ? {
    originals-late = {
      namespace   = "AWS/Firehose"
      metric      = "BackupToS3.DataFreshness"
      dimensions  = local.of_stream
      statistic   = "Maximum"
      threshold   = var.delivery_delay_seconds_max
      description = "The oldest original that is not backed up yet is older than ${var.delivery_delay_seconds_max} s${var.format == "parquet" ? ", and Parquet keeps listed columns only" : ""}. The log group ${aws_cloudwatch_log_group.delivery.name} says what refuses ${module.partitioning.originals_folder}: the bucket, a key or the role. Nothing is lost for 24 hours."
    }
    } : {}, {
    delivery-late = {
      namespace   = "AWS/Firehose"
      metric      = "DeliveryToS3.DataFreshness"
      dimensions  = local.of_stream
      statistic   = "Maximum"
      threshold   = var.delivery_delay_seconds_max
      description = "The oldest undelivered record is older than ${var.delivery_delay_seconds_max} s. Look at the function's errors first, then at the log group ${aws_cloudwatch_log_group.delivery.name}: a bucket, a key or a role that refuses. Nothing is lost for 24 hours."
    }
  })

  source_alarms = local.reads_kinesis ? {
    source-behind = {
      namespace   = "AWS/Firehose"
      metric      = "KinesisMillisBehindLatest"
      dimensions  = local.of_stream
      statistic   = "Maximum"
      threshold   = 900000
      description = "Firehose is 15 minutes behind the Kinesis stream. Look at the function's errors and throttles, and at other readers of the same shards. Records are lost when they are older than the source's retention."
    }
    } : {
    source-throttled = {
      namespace   = "AWS/Firehose"
      metric      = "ThrottledRecords"
      dimensions  = local.of_stream
      statistic   = "Sum"
      threshold   = 0
      description = "Producers put more than the stream's quota takes, and were refused. See that they put refused records again; ask AWS for a higher quota, or put fewer, larger batches."
    }
  }

  function_alarms = var.transform ? {
    function-errors = {
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
      description = "A call of the function ended in an error. Firehose tries the batch ${var.transform_retries} times more, then writes it under errors/. Read /aws/lambda/${local.function_name} for the sentence: a wrong setting, a claim table that cannot answer, or memory that ran out."
    }
    function-throttled = {
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
      description = "Calls of the function were refused for want of concurrency; Firehose counts each as failed. Take function_reserved_concurrency away or raise it, or ask AWS for a higher limit of the account. Then send the records under errors/ through again with `nozzle redrive`."
    }
    function-slow = {
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = local.of_function
      statistic   = "Maximum"
      threshold   = local.function_timeout_seconds * 1000 * 0.8
      description = "A call took more than 80 % of the function's ${local.function_timeout_seconds} s. Nearly always the claim table: look at its throttles and at claim_milliseconds. If neither, raise function_memory_megabytes."
    }
    claims-failing = {
      namespace   = "Nozzle"
      metric      = "claim_failures"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
      description = "Batches failed because the claim table could not answer. See whether the table is there, whether the function's role may write to it and whether it is throttled. Firehose tries ${var.transform_retries} times; what it gave up is under errors/, to be sent through again with `nozzle redrive`."
    }
    delivered-unclaimed = {
      namespace   = "Nozzle"
      metric      = "unclaimed"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
      description = "Events were delivered without a claim, because the claim table could not answer and on_claim_failure is `deliver`. They may be in the lake twice: the query doubled-events finds them. Mend the table."
    }
    partitions-near-quota = {
      namespace   = "AWS/Firehose"
      metric      = "PartitionCount"
      dimensions  = local.of_stream
      statistic   = "Maximum"
      threshold   = floor(var.active_partitions_quota * 0.8)
      description = "More than 80 % of ${var.active_partitions_quota} active partitions are in use; events beyond go to errors/. List event_types or narrow event_years to refuse made-up values, take a key out of partition_keys, shorten buffer_seconds, or ask AWS for a higher quota and set active_partitions_quota."
    }
  } : {}
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = merge(local.stream_alarms, local.source_alarms, local.function_alarms)

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = each.value.description

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold

  # No data means no traffic, or nothing to count.
  treat_missing_data = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "refused" {
  count = var.transform ? 1 : 0

  alarm_name        = "${local.name}-refused"
  alarm_description = "More than ${var.refused_percent_max} % of the records are refused. The dashboard ${local.global_name} shows the reasons; `nozzle explain` shows why for one event. Mend the producer, or event_years and event_types; then send the records under errors/ through again with `nozzle redrive`."

  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.refused_percent_max
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "percent"
    label       = "refused, percent"
    expression  = "IF(records > 0, 100 * refused / records, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(["records", "refused"])

    content {
      id = metric_query.key

      metric {
        namespace   = "Nozzle"
        metric_name = metric_query.key
        dimensions  = local.of_function
        period      = 300
        stat        = "Sum"
      }
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# No metric of AWS counts what Firehose could not deliver; the objects themselves do.
resource "aws_cloudwatch_event_rule" "error_objects" {
  name        = "${local.name}-error-objects"
  description = "Objects under errors/: see docs/deploy.md for why they are there and how they are sent again."
  state       = var.error_mail ? "ENABLED" : "DISABLED"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [local.bucket_name] }
      object = { key = [{ prefix = module.partitioning.error_folder }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "error_objects" {
  rule = aws_cloudwatch_event_rule.error_objects.name
  arn  = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths = {
      bucket = "$.detail.bucket.name"
      key    = "$.detail.object.key"
    }
    input_template = "\"${local.name}: Firehose wrote an error file, s3://<bucket>/<key>. Each line is a record: its errorCode, and the original in rawData. `nozzle redrive` shows the reasons and sends the records again; see docs/deploy.md.\""
  }

  # The topic refuses EventBridge until its policy is there.
  depends_on = [aws_sns_topic_policy.alarms]
}
