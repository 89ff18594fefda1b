output "function" {
  description = "The function, and what rings of it."
  value       = module.function
}

output "buckets" {
  description = "The buckets that are made, by what they are for."
  value       = module.buckets
}

output "calls" {
  description = "How often a call is tried, and who is told of it in the end."
  value       = aws_lambda_function_event_invoke_config.calls
}

output "sweep" {
  description = "What calls the function for the packets that are left."
  value       = { rule = aws_cloudwatch_event_rule.sweep, target = aws_cloudwatch_event_target.sweep, permission = aws_lambda_permission.sweep }
}

output "database" {
  description = "The database that has its tables and views."
  value       = aws_glue_catalog_database.star
}

output "tables" {
  description = "The tables over its files."
  value       = { for name, table in module.tables : name => table.table }
}

output "views" {
  description = "The views on them."
  value       = aws_glue_catalog_table.views
}

output "widgets" {
  description = "Its graphs for the dashboard."
  value = [
    { title = "Star schema: what became of the packets", stat = "Sum", metrics = [for name in ["packets", "loaded", "done_before", "packets_refused", "swept"] : local.counts[name]] },
    { title = "Star schema: rows", stat = "Sum", metrics = [for name in ["rows", "refused", "stand_ins", "columns_unknown"] : local.counts[name]] },
    {
      title = "Star schema: refused rows, by reason"
      stat  = "Sum"
      metrics = [[{
        id         = "reasons"
        expression = "SEARCH('{Nozzle,FunctionName} FunctionName=\"${var.name}\" MetricName=refused NOT MetricName=\"refused\" NOT MetricName=\"packets_refused\"', 'Sum', 300)"
      }]]
    },
    { title = "Star schema: what calls failed with", stat = "Sum", metrics = [for name in local.problems : local.counts[name]] },
    { title = "Star schema: ids that are missing", stat = "Maximum", metrics = [local.counts["gap"]] },
    { title = "Star schema: milliseconds behind, and calls waiting", stat = "Maximum", metrics = [local.counts["lag_milliseconds"], local.lambda_metric["AsyncEventAge"]] },
    { title = "Star schema: calls of the function", stat = "Sum", metrics = [for name in ["Invocations", "Errors", "Throttles", "AsyncEventsDropped"] : local.lambda_metric[name]] },
    { title = "Star schema, cost: bytes read and written, files, checkpoints", stat = "Sum", metrics = [for name in ["read_bytes", "written_bytes", "files", "checkpoints"] : local.counts[name]] },
    { title = "Star schema, cost: milliseconds at ${var.memory_megabytes} MB", stat = "Sum", metrics = [local.lambda_metric["Duration"]] },
  ]
}
