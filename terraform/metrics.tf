# What is watched, each metric as CloudWatch's graphs name it: namespace, name, dimension.

locals {
  transform_count = { for name in [
    "records", "delivered", "duplicates", "duplicates_differing", "reclaimed", "refused", "overflow", "unclaimed",
    "claim_failures", "claim_milliseconds", "total_milliseconds", "request_bytes", "response_bytes",
  ] : name => ["Nozzle", name, "FunctionName", local.function_name] }

  transform_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration"] : name => ["AWS/Lambda", name, "FunctionName", local.function_name] }
}
