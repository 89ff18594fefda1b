# At a glance: in, delivered, duplicates, refused by reason, latency, what costs.

locals {
  # As CloudWatch's graphs name them: namespace, name, dimension.
  transform_count = { for name in [
    "records", "delivered", "duplicates", "duplicates_differing", "reclaimed", "refused", "overflow", "unclaimed",
    "claim_failures", "claim_milliseconds", "total_milliseconds", "request_bytes", "response_bytes",
  ] : name => ["Nozzle", name, "FunctionName", local.function_name] }

  transform_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration"] : name => ["AWS/Lambda", name, "FunctionName", local.function_name] }

  transform_widgets = [
    { title = "What became of the records", stat = "Sum", metrics = [for name in ["records", "delivered", "duplicates", "refused", "overflow"] : local.transform_count[name]] },
    {
      title = "Refused, by reason"
      stat  = "Sum"
      metrics = [[{
        id         = "reasons"
        expression = "SEARCH('{Nozzle,FunctionName} FunctionName=\"${local.function_name}\" MetricName=refused NOT MetricName=\"refused\"', 'Sum', 300)"
      }]]
    },
    { title = "Worth a look", stat = "Sum", metrics = [for name in ["duplicates_differing", "reclaimed", "unclaimed", "claim_failures"] : local.transform_count[name]] },
    { title = "Milliseconds a batch, slowest", stat = "Maximum", metrics = [for name in ["total_milliseconds", "claim_milliseconds"] : local.transform_count[name]] },
    { title = "Largest request and answer (6,291,556 bytes fit)", stat = "Maximum", metrics = [for name in ["request_bytes", "response_bytes"] : local.transform_count[name]] },
    { title = "Calls of the function", stat = "Sum", metrics = [for name in ["Invocations", "Errors", "Throttles"] : local.transform_metric[name]] },
    { title = "Cost: milliseconds of the function at ${var.function_memory_megabytes} MB", stat = "Sum", metrics = [local.transform_metric["Duration"]] },
  ]

  widgets = concat(
    flatten(module.delivery[*].widgets),
    [for widget in local.transform_widgets : widget if local.transforms],
    [for claims in values(module.claims) : claims.widget],
    flatten(module.event_log[*].widgets),
    flatten(module.event_processor[*].widgets),
    flatten(module.star_schema[*].widgets),
  )
}

resource "aws_cloudwatch_dashboard" "chain" {
  dashboard_name = local.global_name

  # Three in a row.
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = index % 3 * 8
      y      = floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        stat    = widget.stat
        metrics = widget.metrics
        region  = var.region
        period  = 300
        view    = "timeSeries"
      }
    }]
  })
}
