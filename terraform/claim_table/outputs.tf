output "table" {
  description = "The table."
  value       = aws_dynamodb_table.claims
}

output "scaling" {
  description = "What its units follow; empty on demand."
  value       = { targets = aws_appautoscaling_target.units, policies = aws_appautoscaling_policy.units, floors = aws_appautoscaling_scheduled_action.floor }
}
