# One bucket, a folder for each thing: the lake, the archive, and what the functions of streams set aside.

module "lake_bucket" {
  source = "./bucket"

  name                = local.bucket_name
  kms_key_arn         = var.lake_kms_key_arn
  versioning          = var.lake_versioning
  deletion_protection = var.deletion_protection
  lifecycle_days      = local.lifecycle
}

locals {
  # By the event log's function: what it could not accept, and data that is too large for an item.
  dead_letter_folder = "dead-letters/"
  overflow_folder    = "overflow/"
  # By the event processor's.
  archive_folder               = "event-processor/archive/"
  processor_dead_letter_folder = "event-processor/dead-letters/"
}

# In days: after which a folder's objects move to cheaper storage, and are deleted.
locals {
  lifecycle = {
    # All layouts, those of former settings too.
    events        = { folder = "events", archive = var.lake_archive_days, days = var.lake_expiration_days }
    arrivals      = { folder = "arrivals", archive = var.lake_archive_days, days = var.lake_expiration_days }
    errors        = { folder = module.partitioning.error_folder, archive = 0, days = var.error_expiration_days }
    originals     = { folder = module.partitioning.originals_folder, archive = 0, days = var.originals_expiration_days }
    query-results = { folder = local.query_results_folder, archive = 0, days = 7 }
    dead-letters  = { folder = local.dead_letter_folder, archive = 0, days = var.error_expiration_days }
    refused       = { folder = local.processor_dead_letter_folder, archive = 0, days = var.error_expiration_days }
    archive       = { folder = local.archive_folder, archive = var.lake_archive_days, days = var.event_processor_archive_expiration_days }
    given-up      = { folder = local.place.given_up_folder, archive = 0, days = var.error_expiration_days }
    # The same bytes are sent three times at most, so each record of it outlives the last of their error files.
    redriven = { folder = "redriven/", archive = 0, days = 3 * var.error_expiration_days }
    # An item says where its data is until it expires, and DynamoDB takes some days over that.
    overflow = { folder = local.overflow_folder, archive = 0, days = var.event_log_ttl_hours > 0 ? ceil(var.event_log_ttl_hours / 24) + 3 : 0 }
  }
}

# The rule that reports error files listens to these.
resource "aws_s3_bucket_notification" "lake" {
  bucket      = module.lake_bucket.bucket.bucket
  eventbridge = true
}

# Who owns which event: one table for the lake, and one of the event processor's own where it does not share that. The lake's
# stays where the function goes (`transform = false`): its deletion would be refused when the rest is gone already.
module "claims" {
  source = "./claim_table"
  for_each = merge(
    var.lake ? { lake = "${local.name}-claims" } : {},
    var.event_processor && var.event_processor_claims == "own" ? { event-processor = "${local.event_processor_name}-claims" } : {},
  )

  name                = each.value
  deletion_protection = var.deletion_protection
  units               = var.claim_capacity == "auto" ? var.claim_write_units : null
  floors              = var.claim_floors
}
