# What Firehose may do. What belongs to one stream only (its alias, its source) is a policy of its
# own, named like the stream, so that while a new stream replaces an old one both may do their own:
# the stream is made before the old one goes, and so is all that it depends on.

resource "aws_iam_role" "delivery" {
  count = var.lake ? 1 : 0

  name        = "${local.global_name}-delivery"
  description = "The Firehose stream of ${local.name}."

  permissions_boundary = local.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "lake" {
  count = var.lake ? 1 : 0

  name = "lake"
  role = aws_iam_role.delivery[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        { Sid = "Bucket", Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource = aws_s3_bucket.lake.arn },
        {
          # Every layout's folder: a stream that is being replaced still writes the former one.
          Sid      = "Objects"
          Effect   = "Allow"
          Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
          Resource = [for beginning in ["events", "arrivals", module.partitioning.error_folder, module.partitioning.originals_folder] : "${aws_s3_bucket.lake.arn}/${beginning}*"]
        },
        { Sid = "Log", Effect = "Allow", Action = "logs:PutLogEvents", Resource = [for stream in aws_cloudwatch_log_stream.delivery : stream.arn] },
      ],
      var.lake_kms_key_arn != "" ? [{
        Sid       = "Encrypt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.lake_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.service_suffix}" } }
      }] : [],
    )
  })
}

resource "aws_iam_role_policy" "invoke" {
  count = local.transforms ? 1 : 0

  name = "invoke-${local.stream_generation}"
  role = aws_iam_role.delivery[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Transform", Effect = "Allow", Action = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], Resource = module.transform[0].alias.arn },
    ]
  })
}

resource "aws_iam_role_policy" "source" {
  count = local.reads_kinesis ? 1 : 0

  name = "source-${local.stream_generation}"
  role = aws_iam_role.delivery[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        Resource = local.source_arn
      }],
      var.kinesis_kms_key_arn != "" ? [{
        Sid       = "Decrypt"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.kinesis_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "kinesis.${local.service_suffix}" } }
      }] : [],
    )
  })
}

resource "aws_iam_role_policy" "catalog" {
  count = var.lake && var.format == "parquet" ? 1 : 0

  name = "catalog-${module.partitioning.layout}"
  role = aws_iam_role.delivery[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Schema"
      Effect = "Allow"
      Action = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
      Resource = [
        "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account_id}:catalog",
        aws_glue_catalog_database.lake[0].arn,
        aws_glue_catalog_table.events[0].arn,
      ]
    }]
  })
}
