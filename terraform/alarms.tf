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
      { Sid = "ErrorObjects", Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sns:Publish", Resource = aws_sns_topic.alarms.arn },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email != "" ? 1 : 0

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# Those of a function's own are its module's. A limit of 0 is for what is counted and must not happen.
locals {
  transform_alarms = local.transforms ? {
    claims-failing = {
      metric      = local.transform_count["claim_failures"]
      limit       = 0
      description = "Batches failed because the claim table could not answer. See whether the table is there, whether the function's role may write to it and whether it is throttled. Firehose tries ${var.transform_retries} times; what it gave up is under errors/, to be sent through again with `nozzle redrive`."
    }
    delivered-unclaimed = {
      metric      = local.transform_count["unclaimed"]
      limit       = 0
      description = "Events were delivered without a claim, because the claim table could not answer and on_claim_failure is `deliver`. They may be in the lake twice: the query doubled-events finds them. Mend the table."
    }
  } : {}

  told_folders = concat(var.lake && var.error_mail ? [module.partitioning.error_folder] : [], var.event_log || var.event_processor ? [local.place.given_up_folder] : [])
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = merge(concat([local.transform_alarms], module.delivery[*].alarms, [
    for claims in values(module.claims) : { for name, alarm in claims.alarms : "${trimprefix(claims.table.name, "${local.name}-")}-${name}" => alarm }
  ])...)

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = each.value.description

  namespace           = each.value.metric[0]
  metric_name         = each.value.metric[1]
  dimensions          = { for pair in chunklist(slice(each.value.metric, 2, length(each.value.metric)), 2) : pair[0] => pair[1] }
  statistic           = each.value.limit == 0 ? "Sum" : "Maximum"
  period              = 300
  evaluation_periods  = try(each.value.periods, 1)
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit

  # No data means no traffic, or nothing to count.
  treat_missing_data = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# No metric of AWS counts what Firehose could not deliver or Lambda gave up; the objects themselves do.
resource "aws_cloudwatch_event_rule" "error_objects" {
  name        = "${local.name}-error-objects"
  description = "Objects with what could not be delivered: see docs/deploy.md for why they are there and how they are sent again."
  state       = length(local.told_folders) > 0 ? "ENABLED" : "DISABLED"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [local.bucket_name] }
      object = { key = [for folder in coalescelist(local.told_folders, [module.partitioning.error_folder]) : { prefix = folder }] }
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
    input_template = "\"${local.name}: s3://<bucket>/<key> was written. Under ${module.partitioning.error_folder} it is Firehose's error file: each line is a record, with its errorCode, and the original in rawData; `nozzle redrive` shows the reasons and sends the records again. Under ${local.place.given_up_folder} it is a batch of the event log or the event processor that Lambda gave up, with its records in payload. See docs/deploy.md.\""
  }

  # The topic refuses EventBridge until its policy is there.
  depends_on = [aws_sns_topic_policy.alarms]
}
