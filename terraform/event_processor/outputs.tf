output "table" {
  description = "The table of counters."
  value       = aws_dynamodb_table.counters
}

output "reader" {
  description = "The function, and what it is called by."
  value       = module.reader
}

output "archive" {
  description = "The table over the archive."
  value       = module.archive.table
}

output "widgets" {
  description = "Its graphs for the dashboard."
  value = concat(module.reader.widgets, [
    { title = "Event processor: what became of the events", stat = "Sum", metrics = [for name in ["events", "counted", "uncounted", "refused", "duplicates", "archived", "dead_letters"] : local.counts[name]] },
    { title = "Event processor: worth a look", stat = "Sum", metrics = [for name in ["already_counted", "done_before", "assignments_missing", "experiments_missing", "enrichment_failures"] : local.counts[name]] },
    { title = "Event processor: milliseconds a batch, slowest", stat = "Maximum", metrics = [for name in ["claim", "enrich", "archive", "count", "total"] : local.counts["${name}_milliseconds"]] },
    { title = "Event processor, cost: write units, users written, objects", stat = "Sum", metrics = [for name in ["write_units", "users_written", "archive_objects"] : local.counts[name]] },
    { title = "Event processor, cost: bytes archived", stat = "Sum", metrics = [local.counts["archive_bytes"]] },
  ])
}
