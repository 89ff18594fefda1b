output "function" {
  description = "The function."
  value       = aws_lambda_function.function
}

output "alias" {
  description = "The alias that is called."
  value       = aws_lambda_alias.function
}

output "role" {
  description = "The function's role."
  value       = aws_iam_role.function
}

output "policy" {
  description = "What the role may do."
  value       = aws_iam_role_policy.function
}

output "log_group" {
  description = "Where the function logs."
  value       = aws_cloudwatch_log_group.function
}

output "alarms" {
  description = "The function's alarms on a metric each, by what they watch."
  value       = aws_cloudwatch_metric_alarm.function
}

output "computed_alarms" {
  description = "Its alarms on several counts together."
  value       = aws_cloudwatch_metric_alarm.computed
}
