# Where things were before, so that what runs is kept.
moved {
  from = aws_cloudwatch_log_group.function[0]
  to   = module.transform[0].aws_cloudwatch_log_group.function
}
moved {
  from = aws_iam_role.function[0]
  to   = module.transform[0].aws_iam_role.function
}
moved {
  from = aws_lambda_function.transform[0]
  to   = module.transform[0].aws_lambda_function.function
}
moved {
  from = aws_lambda_alias.stream[0]
  to   = module.transform[0].aws_lambda_alias.function
}
moved {
  from = aws_cloudwatch_metric_alarm.refused[0]
  to   = module.transform[0].aws_cloudwatch_metric_alarm.computed["refused"]
}
moved {
  from = aws_dynamodb_table.claims[0]
  to   = module.claims["lake"].aws_dynamodb_table.claims
}
moved {
  from = aws_glue_catalog_table.events[0]
  to   = module.table[0].aws_glue_catalog_table.table
}
moved {
  from = aws_cloudwatch_log_group.delivery[0]
  to   = module.delivery[0].aws_cloudwatch_log_group.delivery
}
moved {
  from = aws_cloudwatch_log_stream.delivery["delivery"]
  to   = module.delivery[0].aws_cloudwatch_log_stream.delivery["delivery"]
}
moved {
  from = aws_cloudwatch_log_stream.delivery["originals"]
  to   = module.delivery[0].aws_cloudwatch_log_stream.delivery["originals"]
}
moved {
  from = aws_iam_role.delivery[0]
  to   = module.delivery[0].aws_iam_role.delivery
}
moved {
  from = aws_iam_role_policy.catalog[0]
  to   = module.delivery[0].aws_iam_role_policy.catalog[0]
}
moved {
  from = aws_iam_role_policy.invoke[0]
  to   = module.delivery[0].aws_iam_role_policy.invoke[0]
}
moved {
  from = aws_iam_role_policy.lake[0]
  to   = module.delivery[0].aws_iam_role_policy.lake
}
moved {
  from = aws_iam_role_policy.source[0]
  to   = module.delivery[0].aws_iam_role_policy.source[0]
}
moved {
  from = aws_kinesis_firehose_delivery_stream.events[0]
  to   = module.delivery[0].aws_kinesis_firehose_delivery_stream.events
}
moved {
  from = aws_s3_bucket.lake
  to   = module.lake_bucket.aws_s3_bucket.bucket
}
moved {
  from = aws_s3_bucket_lifecycle_configuration.lake
  to   = module.lake_bucket.aws_s3_bucket_lifecycle_configuration.bucket
}
moved {
  from = aws_s3_bucket_ownership_controls.lake
  to   = module.lake_bucket.aws_s3_bucket_ownership_controls.bucket
}
moved {
  from = aws_s3_bucket_policy.lake
  to   = module.lake_bucket.aws_s3_bucket_policy.bucket
}
moved {
  from = aws_s3_bucket_public_access_block.lake
  to   = module.lake_bucket.aws_s3_bucket_public_access_block.bucket
}
moved {
  from = aws_s3_bucket_server_side_encryption_configuration.lake
  to   = module.lake_bucket.aws_s3_bucket_server_side_encryption_configuration.bucket
}
moved {
  from = aws_s3_bucket_versioning.lake
  to   = module.lake_bucket.aws_s3_bucket_versioning.bucket
}
