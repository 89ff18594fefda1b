# The function, what it may do, and the alias that one stream calls.

locals {
  # Firehose waits 300 s for an answer. The function gives up a second before this, so with its
  # retries this is how long an outage of the claim table is sat out.
  function_timeout_seconds = 240

  function_environment = merge(
    {
      EVENT_CACHE_TABLE_NAME = aws_dynamodb_table.claims.name
      EVENT_CACHE_TTL_HOURS  = tostring(var.claim_hours)
      EVENT_IDENTITY         = var.event_identity
      PARTITION_KEYS         = join(",", module.partitioning.keys)
      EVENT_YEARS            = var.event_years
      ON_CLAIM_FAILURE       = var.on_claim_failure
      ON_DIFFERING_DUPLICATE = var.on_differing_duplicate
      BATCH_PARTITIONS_MAX   = tostring(min(var.active_partitions_quota, 100000))
    },
    length(var.event_types) > 0 ? { EVENT_TYPES = join(",", var.event_types) } : {},
  )
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:the log holds counts and identifiers, never an event's text
  #checkov:skip=CKV_AWS_338:log_retention_days is the owner's choice
  count = var.transform ? 1 : 0

  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "function" {
  count = var.transform ? 1 : 0

  name        = "${local.global_name}-transform"
  description = "The transformation function ${local.function_name}: claims and its own log, nothing else."

  permissions_boundary = local.permissions_boundary

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
  count = var.transform ? 1 : 0

  name = "claims-and-log"
  role = aws_iam_role.function[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Claim"
        Effect   = "Allow"
        Action   = ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"]
        Resource = aws_dynamodb_table.claims.arn
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.function[0].arn}:*"
      },
    ]
  })
}

resource "aws_lambda_function" "transform" {
  #checkov:skip=CKV_AWS_50:one line of counts a batch says what a trace would, and needs no permission
  #checkov:skip=CKV_AWS_116:Firehose waits for the answer and keeps what fails; a dead-letter queue is for asynchronous calls
  #checkov:skip=CKV_AWS_117:it talks to DynamoDB only, whose endpoint is public and whose access is IAM's
  #checkov:skip=CKV_AWS_173:the environment holds settings, no secret
  #checkov:skip=CKV_AWS_272:the zip is built by who applies; signing it is the owner's decision
  count = var.transform ? 1 : 0

  function_name = local.function_name
  description   = "Checks, enriches, deduplicates and partitions events for Firehose."
  role          = aws_iam_role.function[0].arn

  filename         = var.function_zip
  source_code_hash = try(filebase64sha256(var.function_zip), null)
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  publish          = true

  memory_size                    = var.function_memory_megabytes
  timeout                        = local.function_timeout_seconds
  reserved_concurrent_executions = var.function_reserved_concurrency

  environment {
    variables = local.function_environment
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function[0].name
    application_log_level = var.function_log_level
    system_log_level      = "INFO"
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.function_zip)
      error_message = "There is no file at `${var.function_zip}`: run `make build` first, or set function_zip to the function's zip."
    }
  }

  # The first call needs them, and a log group that Lambda makes itself keeps its lines for ever.
  depends_on = [aws_iam_role_policy.function]
}

# A stream of its own alias: it goes on calling the version that returns the keys its prefix names.
resource "aws_lambda_alias" "stream" {
  count = var.transform ? 1 : 0

  name             = "stream-${local.stream_generation}"
  description      = "What the stream ${local.stream_name} calls."
  function_name    = aws_lambda_function.transform[0].function_name
  function_version = aws_lambda_function.transform[0].version

  lifecycle {
    create_before_destroy = true
  }
}
