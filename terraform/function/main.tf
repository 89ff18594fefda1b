# One Lambda function: its role, its log, the alias that is called, and what rings when it fails, waits or is slow.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:the log holds counts and identifiers, never an event's text
  #checkov:skip=CKV_AWS_338:log_retention_days is the owner's choice
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.shared.log_retention_days
}

resource "aws_iam_role" "function" {
  name        = var.role_name
  description = "The function ${var.name}: what it works on and its own log, nothing else."

  permissions_boundary = var.shared.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "work-and-log"
  role = aws_iam_role.function.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in concat(var.statements, [{
        sid       = "Log"
        actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
        via       = null
      }]) :
      merge(
        { Sid = statement.sid, Effect = "Allow", Action = statement.actions, Resource = statement.resources },
        { for service in statement.via[*] : "Condition" => { StringEquals = { "kms:ViaService" = service } } },
      )
    ]
  })
}

resource "aws_lambda_function" "function" {
  #checkov:skip=CKV_AWS_50:one line of counts a batch says what a trace would, and needs no permission
  #checkov:skip=CKV_AWS_115:reserved concurrency is the owner's choice
  #checkov:skip=CKV_AWS_116:who calls waits for the answer and keeps what fails; what is called asynchronously has a destination of its own
  #checkov:skip=CKV_AWS_117:it talks to AWS only, whose endpoints are public and whose access is IAM's
  #checkov:skip=CKV_AWS_173:the environment holds settings, no secret
  #checkov:skip=CKV_AWS_272:the zip is built by who applies; signing it is the owner's decision
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.function.arn

  filename         = var.zip
  source_code_hash = try(filebase64sha256(var.zip), null)
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  publish          = true

  memory_size                    = var.memory_megabytes
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency

  environment { variables = var.environment }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function.name
    application_log_level = var.shared.log_level
    system_log_level      = "INFO"
  }

  lifecycle {
    precondition {
      condition     = try(fileexists(var.zip), false)
      error_message = "There is no file at `${var.zip}`: run `make build` first, or name the zip of ${var.name}."
    }
  }

  # The first call needs them, and a log group that Lambda makes itself keeps its lines for ever.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_alias" "function" {
  name             = var.alias
  description      = "What calls ${var.name}, calls this."
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
}

locals {
  lambda_metric = { for name in ["Errors", "Throttles", "Duration"] : name => ["AWS/Lambda", name, "FunctionName", var.name] }

  alarms = merge(
    var.alarms,
    {
      errors = { metric = local.lambda_metric["Errors"], limit = 0, description = var.advice.errors }
      slow   = { metric = local.lambda_metric["Duration"], limit = var.timeout_seconds * 1000 * 0.8, description = var.advice.slow }
    },
    var.advice.throttled == null ? {} : { throttled = { metric = local.lambda_metric["Throttles"], limit = 0, description = var.advice.throttled } },
  )
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description

  namespace           = each.value.metric[0]
  metric_name         = each.value.metric[1]
  dimensions          = { for pair in chunklist(slice(each.value.metric, 2, length(each.value.metric)), 2) : pair[0] => pair[1] }
  statistic           = each.value.limit == 0 ? "Sum" : "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.shared.alarm_topic_arn]
  ok_actions    = [var.shared.alarm_topic_arn]
}

# Of several counts together, each by its name.
resource "aws_cloudwatch_metric_alarm" "computed" {
  for_each = var.computed_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description

  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods_above
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "computed"
    label       = each.key
    expression  = each.value.expression
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(each.value.counts)

    content {
      id = metric_query.key

      metric {
        # Lambda counts its errors itself.
        namespace   = metric_query.key == "errors" ? "AWS/Lambda" : "Nozzle"
        metric_name = metric_query.key == "errors" ? "Errors" : metric_query.key
        dimensions  = { FunctionName = var.name }
        period      = each.value.period_seconds
        stat        = "Sum"
      }
    }
  }

  alarm_actions = [var.shared.alarm_topic_arn]
  ok_actions    = [var.shared.alarm_topic_arn]
}
