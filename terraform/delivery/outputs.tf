output "stream" {
  description = "The Firehose stream."
  value       = aws_kinesis_firehose_delivery_stream.events
}

output "role" {
  description = "Its role."
  value       = aws_iam_role.delivery
}

output "policies" {
  description = "What the role may do, by what it is for; null where it is not."
  value = {
    lake    = aws_iam_role_policy.lake
    invoke  = one(aws_iam_role_policy.invoke)
    source  = one(aws_iam_role_policy.source)
    catalog = one(aws_iam_role_policy.catalog)
  }
}

output "log_group" {
  description = "Where it logs."
  value       = aws_cloudwatch_log_group.delivery
}

output "log_streams" {
  description = "The log's streams."
  value       = aws_cloudwatch_log_stream.delivery
}
