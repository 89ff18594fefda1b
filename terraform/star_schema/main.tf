# The star-schema loader: packets of tables in one bucket into the Parquet files of a star in another.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  bucket_arns = { for use, bucket in var.buckets : use => "arn:${var.partition}:s3:::${bucket.name}" }

  # A description in S3 is read from there, any other lies in the zip.
  description_arn = one([for star in var.star[*] : "arn:${var.partition}:s3:::${trimprefix(star, "s3://")}" if startswith(star, "s3://")])
}

module "buckets" {
  source   = "../bucket"
  for_each = { for use, bucket in var.buckets : use => bucket if bucket.made }

  name                = each.value.name
  kms_key_arn         = var.kms_key_arn
  versioning          = var.versioning
  deletion_protection = var.deletion_protection

  # Packets stay: joins read them again.
  lifecycle_days = each.key != "processed" ? {} : { refused = { folder = "refused/", archive = 0, days = var.refused_days } }
  write_once     = each.key == "processed"
}

module "function" {
  source = "../function"

  name        = var.name
  role_name   = var.role_name
  description = "Makes the tables of a star of packets of new rows, and writes them as Parquet."
  zip         = var.zip
  alias       = "live"

  environment = merge(
    {
      INGESTION_BUCKET = var.buckets.ingestion.name
      PROCESSED_BUCKET = var.buckets.processed.name
      PARAMETER_PREFIX = var.parameter_prefix
      REFUSED_ROWS_MAX = tostring(var.refused_rows_max)
    },
    var.star == null ? {} : { STAR = var.star },
  )

  statements = concat(
    [
      { sid = "Find", actions = ["s3:ListBucket"], resources = values(local.bucket_arns) },
      {
        # Of what it wrote: receipts, checkpoints, and whose an object is that is there already.
        sid       = "Read"
        actions   = ["s3:GetObject"]
        resources = [for arn in values(local.bucket_arns) : "${arn}/*"]
      },
      { sid = "Write", actions = ["s3:AbortMultipartUpload", "s3:PutObject"], resources = ["${local.bucket_arns.processed}/*"] },
      { sid = "Remember", actions = ["ssm:GetParameter", "ssm:PutParameter"], resources = ["${var.parameters_arn}${var.parameter_prefix}*"] },
      # Lambda does it with the function's role.
      { sid = "Tell", actions = ["sns:Publish"], resources = [var.shared.alarm_topic_arn] },
    ],
    [for arn in local.description_arn[*] : { sid = "Describe", actions = ["s3:GetObject"], resources = [arn] }],
    # An upload in parts is decrypted to be completed.
    var.kms_key_arn == "" ? [] : [
      { sid = "Encrypt", actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn], via = "s3.${var.service_suffix}" },
    ],
    var.alarm_kms_key_arn == "" ? [] : [
      { sid = "EncryptAlarms", actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.alarm_kms_key_arn], via = "sns.${var.service_suffix}" },
    ],
  )

  memory_megabytes = var.memory_megabytes
  timeout_seconds  = local.timeout_seconds
  # Two packets of joined tables at once could leave a row that no sweep mends.
  reserved_concurrency = 1
  shared               = var.shared

  advice          = local.advice
  alarms          = local.alarms
  computed_alarms = local.computed_alarms
}

# Wait and try again: a failed call comes after one minute and after two more, then it is told.
resource "aws_lambda_function_event_invoke_config" "calls" {
  function_name = module.function.function.function_name
  qualifier     = module.function.alias.name

  maximum_retry_attempts       = local.retries
  maximum_event_age_in_seconds = local.call_age_seconds_max

  destination_config {
    on_failure { destination = var.shared.alarm_topic_arn }
  }
}

# A sweep loads what has no receipt: calls that never came, or were given up.
resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "Loads packets that lie in ${var.buckets.ingestion.name} and are not loaded yet."
  schedule_expression = "rate(15 minutes)"
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule  = aws_cloudwatch_event_rule.sweep.name
  arn   = module.function.alias.arn
  input = jsonencode({ packets = [] })

  # A call that may not be made, or whose failure nobody would be told of, is lost; one without buckets fails.
  depends_on = [aws_lambda_function_event_invoke_config.calls, aws_lambda_permission.sweep, module.buckets]
}

resource "aws_lambda_permission" "sweep" {
  statement_id  = "sweep"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function.function_name
  qualifier     = module.function.alias.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}
