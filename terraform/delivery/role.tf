# What Firehose may do. What belongs to one stream only (its alias, its source) is a policy of its
# own, named like the stream, so that while a new stream replaces an old one both may do their own:
# the stream is made before the old one goes, and so is all that it depends on.

resource "aws_iam_role" "delivery" {
  name        = var.role_name
  description = "The Firehose stream of ${var.environment}."

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "lake" {
  name = "lake"
  role = aws_iam_role.delivery.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        { Sid = "Bucket", Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource = var.place.bucket_arn },
        {
          # Every layout's folder: a stream that is being replaced still writes the former one.
          Sid      = "Objects"
          Effect   = "Allow"
          Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
          Resource = [for beginning in ["events", "arrivals", var.folders.errors, var.folders.originals] : "${var.place.bucket_arn}/${beginning}*"]
        },
        { Sid = "Log", Effect = "Allow", Action = "logs:PutLogEvents", Resource = [for stream in aws_cloudwatch_log_stream.delivery : stream.arn] },
      ],
      var.place.bucket_kms_key_arn != "" ? [{
        Sid       = "Encrypt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.place.bucket_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "s3.${var.place.service_suffix}" } }
      }] : [],
    )
  })
}

resource "aws_iam_role_policy" "invoke" {
  count = var.processor == null ? 0 : 1

  name = "invoke-${var.generation}"
  role = aws_iam_role.delivery.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Transform", Effect = "Allow", Action = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], Resource = var.processor.alias_arn },
    ]
  })
}

resource "aws_iam_role_policy" "source" {
  count = var.source_stream == null ? 0 : 1

  name = "source-${var.generation}"
  role = aws_iam_role.delivery.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        Resource = var.source_stream.arn
      }],
      var.place.streams_kms_key_arn != "" ? [{
        Sid       = "Decrypt"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.place.streams_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "kinesis.${var.place.service_suffix}" } }
      }] : [],
    )
  })
}

resource "aws_iam_role_policy" "catalog" {
  count = var.catalog == null ? 0 : 1

  name = "catalog-${var.catalog.table}"
  role = aws_iam_role.delivery.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Schema"
      Effect   = "Allow"
      Action   = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
      Resource = var.catalog.arns
    }]
  })
}
