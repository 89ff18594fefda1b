output "table" {
  description = "The table."
  value       = aws_dynamodb_table.events
}

output "reader" {
  description = "The function, and what it is called by."
  value       = module.reader
}

output "widgets" {
  description = "Its graphs for the dashboard."
  value = concat(module.reader.widgets, [
    { title = "Event log: what became of the events", stat = "Sum", metrics = [for name in ["events", "stored", "duplicates", "conflicts", "dead_letters", "failures"] : local.counts[name]] },
    { title = "Event log: stored in another way", stat = "Sum", metrics = [for name in ["unreadable", "raw", "text_numbers", "overflow"] : local.counts[name]] },
    { title = "Event log, cost: write units, and writes throttled", stat = "Sum", metrics = [for name in ["ConsumedWriteCapacityUnits", "WriteThrottleEvents"] : local.table_metric[name]] },
  ])
}
