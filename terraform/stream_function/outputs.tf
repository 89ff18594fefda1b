output "function" {
  description = "The function."
  value       = module.function.function
}

output "alias" {
  description = "The alias that is called."
  value       = module.function.alias
}

output "role" {
  description = "The function's role."
  value       = module.function.role
}

output "policy" {
  description = "What the role may do."
  value       = module.function.policy
}

output "log_group" {
  description = "Where the function logs."
  value       = module.function.log_group
}

output "alarms" {
  description = "The function's alarms on a metric each, by what they watch."
  value       = module.function.alarms
}

output "computed_alarms" {
  description = "Its alarms on several counts together."
  value       = module.function.computed_alarms
}

output "mappings" {
  description = "What calls it, by the stream."
  value       = aws_lambda_event_source_mapping.stream
}

output "dead_letters" {
  description = "The queue that has its dead letters."
  value       = aws_sqs_queue.dead_letters
}

output "widgets" {
  description = "What every such function shows on the dashboard."
  value = [
    { title = "${var.title}: milliseconds behind the stream", stat = "Maximum", metrics = [local.lambda_metric["IteratorAge"]] },
    { title = "${var.title}: calls of the function", stat = "Sum", metrics = [for name in ["Invocations", "Errors", "Throttles"] : local.lambda_metric[name]] },
    { title = "${var.title}, cost: milliseconds at ${var.reader.memory_megabytes} MB", stat = "Sum", metrics = [local.lambda_metric["Duration"]] },
  ]
}
