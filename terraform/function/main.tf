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
  #checkov:skip=CKV_AWS_116:who calls waits for the answer and keeps what fails; a dead-letter queue is for asynchronous calls
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
  alarms = {
    errors    = { metric = "Errors", statistic = "Sum", above = 0 }
    throttled = { metric = "Throttles", statistic = "Sum", above = 0 }
    slow      = { metric = "Duration", statistic = "Maximum", above = var.timeout_seconds * 1000 * 0.8 }
  }
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = var.advice[each.key]

  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = var.name }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.shared.alarm_topic_arn]
  ok_actions    = [var.shared.alarm_topic_arn]
}
