# The event log: each event of a Kinesis stream as an item of a table.

locals {
  event_log_name = "${local.name}-event-log"
}

module "event_log" {
  source = "./event_log"
  count  = var.event_log ? 1 : 0

  reader = {
    name                   = local.event_log_name
    role_name              = "${local.global_name}-event-log"
    zip                    = var.event_log_zip
    memory_megabytes       = var.event_log_memory_megabytes
    streams                = { source = local.source_arn }
    parallelization_factor = var.event_log_parallelization_factor
    place                  = local.place
    shared                 = local.functions
    dead_letter_folder     = local.dead_letter_folder
  }

  deletion_protection = var.deletion_protection
  overflow_folder     = local.overflow_folder

  event_id       = var.event_log_id
  on_conflict    = var.event_log_on_conflict
  search_key     = var.event_log_search_key
  search_buckets = var.event_log_search_buckets
  data           = var.event_log_data
  on_unreadable  = var.event_log_on_unreadable
  ttl_hours      = var.event_log_ttl_hours
}
