# What rings, and what to do then; what the dashboard shows.

locals {
  metric = { for name in ["ConsumedWriteCapacityUnits", "ProvisionedWriteCapacityUnits", "WriteThrottleEvents"] : name => ["AWS/DynamoDB", name, "TableName", var.name] }
}

output "alarms" {
  description = "What rings, by a metric as CloudWatch's graphs name it."
  value = merge(
    {
      throttled = {
        metric  = local.metric["WriteThrottleEvents"]
        limit   = 0
        periods = 3
        description = join(" ", ["For 15 minutes the claim table ${var.name} has throttled writes. They are tried again: events are late, none is lost or doubled.", var.units == null ?
          "It doubles by itself what it takes: warm it up before a burst. If it does not end, the account's quota is reached." :
          "More comes than its units take, and scaling has not caught up. Give the hours of the peak a floor in claim_floors, or raise the minimum in claim_write_units; if it is at its maximum too, raise that."
        ])
      }
    },
    var.units == null ? {} : {
      at-maximum = {
        metric      = local.metric["ProvisionedWriteCapacityUnits"]
        limit       = var.units.maximum - 1
        periods     = 1
        description = "The claim table ${var.name} has as many write units as claim_write_units lets it have, ${var.units.maximum}; what comes beyond them waits. Is the load real, or one producer in a loop? If it is, raise the maximum (a table may have 40,000 until AWS raises that), or set claim_capacity to `on-demand`."
      }
    },
  )
}

output "widget" {
  description = "Its graph for the dashboard."
  value       = { title = "Cost: write units of ${var.name}, and writes throttled", stat = "Sum", metrics = [local.metric["ConsumedWriteCapacityUnits"], local.metric["WriteThrottleEvents"]] }
}
