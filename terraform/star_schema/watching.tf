# What rings, and what to do then; what the dashboard shows.

locals {
  timeout_seconds      = 900
  retries              = 2
  call_age_seconds_max = 21600

  problems = [
    "packet_missing", "packet_unreadable", "packet_id_taken", "table_unknown", "file_exists", "parameter_moved", "parameter_unreadable",
    "world_failures", "request_failures",
  ]
  counts = { for name in concat(local.problems, [
    "packets", "loaded", "done_before", "packets_refused", "swept", "rows", "refused", "columns_unknown", "stand_ins",
    "files", "checkpoints", "read_bytes", "written_bytes", "gap", "lag_milliseconds",
  ]) : name => ["Nozzle", name, "FunctionName", var.name] }

  lambda_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration", "AsyncEventsDropped", "AsyncEventAge"] : name => ["AWS/Lambda", name, "FunctionName", var.name] }

  advice = {
    errors = "A call of ${var.name} failed; it comes again after one minute and after two more. Read /aws/lambda/${var.name} for the sentence, which names packet or object: packet_missing, packet_unreadable and packet_id_taken are the ingestion's to mend, FileExistsError and parameter_moved mean that somebody else wrote; else a bucket or parameter is missing or denied. What was loaded stays; nothing is doubled."
    slow   = "A call of ${var.name} took more than 80 % of its ${local.timeout_seconds} s. Name fewer packets in a call, or raise star_schema_memory_megabytes. What a call that is cut off had loaded stays; the next sweep goes on."
    # Throttling is a call that waits for its turn, since there is one at a time.
  }

  alarms = {
    dropped = {
      metric      = local.lambda_metric["AsyncEventsDropped"]
      limit       = 0
      description = "A call of ${var.name} was given up: it failed three times, or waited ${local.call_age_seconds_max / 3600} hours. The topic has a message with the call and why it failed. Mend that; the next sweep then loads its packets, and nothing needs to be sent again."
    }
    late = {
      metric      = local.counts["lag_milliseconds"]
      limit       = var.late_hours * 3600000
      description = "A packet was loaded whose newest row is older than ${var.late_hours} hours. Look at the errors and at the age of waiting calls on the dashboard; if there are none, the ingestion was late. Old rows that are loaded on purpose ring too: then there is nothing to do. star_schema_late_hours is the limit."
    }
  }

  computed_alarms = {
    refused = {
      expression  = "IF(packets_refused > 0, 100, IF(rows + refused > 0, 100 * refused / (rows + refused), 0))"
      counts      = ["packets_refused", "rows", "refused"]
      limit       = var.refused_percent_max
      description = "More than ${var.refused_percent_max} % of the rows were refused, or a packet as a whole. Each row lies with its reason, column and line under refused/ in ${var.buckets.processed.name}; the others are loaded. Mend the source, or the description; then send the rows again in a new packet."
    }
    gap = {
      expression     = "gap"
      counts         = ["gap"]
      limit          = 0
      period_seconds = 900
      periods        = 4
      periods_above  = 3 # a sweep may fall between two quarters
      description    = "For an hour packets have been missing between those that are loaded: their ids are not in sequence. Compare latest_packet_id under ${var.parameter_prefix} with packets/ in ${var.buckets.processed.name}: the first id without a receipt is the one that is missing. Write it again if its rows exist, else an empty packet of that id. The others are loaded all the same."
    }
  }
}
