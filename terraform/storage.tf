# One bucket, a folder for each thing: the lake, the archive, and what the functions of streams set aside.

resource "aws_s3_bucket" "lake" {
  #checkov:skip=CKV_AWS_18:who read what is CloudTrail's to record, for the whole account
  #checkov:skip=CKV_AWS_19:encrypted below; checkov cannot tell which of the two ways lake_kms_key_arn chooses
  #checkov:skip=CKV_AWS_144:a copy in a second region doubles the cost and is the owner's decision
  #checkov:skip=CKV_AWS_145:encrypted with S3's keys unless lake_kms_key_arn names one
  #checkov:skip=CKV_AWS_21:versioning is lake_versioning's choice; only what is archived again is overwritten
  bucket        = local.bucket_name
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket = aws_s3_bucket.lake.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.bucket

  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.bucket

  rule {
    bucket_key_enabled = var.lake_kms_key_arn != ""

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.lake_kms_key_arn != "" ? "aws:kms" : "AES256"
      kms_master_key_id = var.lake_kms_key_arn != "" ? var.lake_kms_key_arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.bucket

  versioning_configuration { status = var.lake_versioning ? "Enabled" : "Suspended" }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.lake.arn, "${aws_s3_bucket.lake.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two changes to a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.lake]
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

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  #checkov:skip=CKV_AWS_300:the rule `leftovers` does; checkov does not see it behind the dynamic one
  bucket = aws_s3_bucket.lake.bucket

  # A rule must do something, so there is none where there is nothing to do.
  dynamic "rule" {
    for_each = { for id, rule in local.lifecycle : id => rule if rule.archive + rule.days > 0 }

    content {
      id     = rule.key
      status = "Enabled"

      filter { prefix = rule.value.folder }

      dynamic "transition" {
        for_each = rule.value.archive > 0 ? [rule.value.archive] : []

        content {
          days          = transition.value
          storage_class = "INTELLIGENT_TIERING"
        }
      }

      dynamic "expiration" {
        for_each = rule.value.days > 0 ? [rule.value.days] : []

        content { days = expiration.value }
      }
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload { days_after_initiation = 7 }

    noncurrent_version_expiration { noncurrent_days = 30 }
  }

  depends_on = [aws_s3_bucket_versioning.lake]
}

# The rule that reports error files listens to these.
resource "aws_s3_bucket_notification" "lake" {
  bucket      = aws_s3_bucket.lake.bucket
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
}
