# What rings, and what to do then; what the dashboard shows.

locals {
  counts = { for name in [
    "events", "counted", "uncounted", "refused", "duplicates", "archived", "dead_letters", "already_counted", "done_before",
    "assignments_missing", "experiments_missing", "enrichment_failures", "archive_objects", "archive_bytes", "write_units", "users_written",
    "claim_milliseconds", "enrich_milliseconds", "archive_milliseconds", "count_milliseconds", "total_milliseconds",
  ] : name => ["Nozzle", name, "FunctionName", var.reader.name] }

  # What makes a batch come again without an error that Lambda would count.
  passing_failures = ["claim_failures", "ledger_failures", "archive_failures", "dead_letter_failures", "user_failures", "counter_failures"]

  advice = {
    behind       = "raise event_processor_memory_megabytes, or let the stream have more shards: more batches of a shard at once would lose events."
    dead_letters = "`reason` says why. Mend the producer, then send them into the stream again with `nozzle redrive`: they were never counted, so nothing doubles."
  }

  alarms = {
    enrichment-failing = {
      metric      = local.counts["enrichment_failures"]
      limit       = 0
      description = "The tables of assignments or experiments could not answer; with on_enrichment_failure `retry` the batches wait, with `keep` events are archived and not counted, which `nozzle recount` does not mend. See whether the tables are there, have the keys that are named and are throttled, and whether the function's role and keys let it read."
    }
    table-throttled = {
      metric      = ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.reader.name]
      limit       = 0
      description = "The table ${var.reader.name} throttles writes; the function tries again, and falls behind if that lasts. A new table takes 4,000 writes a second and doubles by itself. One counter takes 1,000 a second: if that is it, raise event_processor_counter_slots, or event_processor_batch_seconds, so that each batch holds more."
    }
  }

  computed_alarms = {
    refused = {
      expression    = "IF(events > 0, 100 * refused / events, 0)"
      counts        = ["events", "refused"]
      limit         = var.refused_percent_max
      periods       = 3
      periods_above = 2
      description   = "More than ${var.refused_percent_max} % of the events that ${var.reader.name} reads are refused; each is a dead letter with its reason. Mend the producer, then send them again with `nozzle redrive`."
    }
    failing = {
      expression    = "SUM([${join(", ", local.passing_failures)}])"
      counts        = local.passing_failures
      limit         = 0
      periods       = 3
      periods_above = 2
      description   = "Batches of ${var.reader.name} come again, because a table, the bucket or the queue could not answer in time. Nothing is lost or doubled. The log /aws/lambda/${var.reader.name} says which, and what it answered; look at its throttles. If it lasts, records expire."
    }
    already-counted = {
      # A retry finds its own work, and so it should; an hour nearly always has it and what failed. Ledger failures are no
      # such excuse: where two mappings run into each other, one is told so by the ledger. A failure that did not occur is
      # no metric at all: SUM passes over it.
      expression     = "IF((already_counted + done_before > 0) AND (SUM([errors, counter_failures]) == 0), already_counted + done_before, 0)"
      counts         = ["already_counted", "done_before", "errors", "counter_failures"]
      limit          = 0
      period_seconds = 3600
      description    = "Events were left out as counted already, or records as done, though no call had failed in that hour. Once, it may be a failure just before, or Lambda's own fail-over. Again and again, a shard's records do not come in order: a second mapping of the stream runs into the same table, or one with a parallelization factor over 1, and counters may lack events. Delete the mapping that is not Terraform's (aws lambda list-event-source-mappings), then set the counters right with `nozzle recount`. A stream that was deleted and made anew under its name shows the same: delete its ledger, as docs/deploy.md says."
    }
  }
}
