# A bucket: nothing public, TLS only, encrypted, and its leftovers removed.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_s3_bucket" "bucket" {
  #checkov:skip=CKV_AWS_18:who read what is CloudTrail's to record, for the whole account
  #checkov:skip=CKV_AWS_19:encrypted below; checkov cannot tell which of the two ways lake_kms_key_arn chooses
  #checkov:skip=CKV_AWS_144:a copy in a second region doubles the cost and is the owner's decision
  #checkov:skip=CKV_AWS_145:encrypted with S3's keys unless lake_kms_key_arn names one
  #checkov:skip=CKV_AWS_21:versioning is lake_versioning's choice
  #checkov:skip=CKV2_AWS_62:who is to hear of its objects, the caller says
  bucket        = var.name
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "bucket" {
  bucket = aws_s3_bucket.bucket.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "bucket" {
  bucket = aws_s3_bucket.bucket.bucket

  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  bucket = aws_s3_bucket.bucket.bucket

  rule {
    bucket_key_enabled = var.kms_key_arn != ""

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn != "" ? "aws:kms" : "AES256"
      kms_master_key_id = var.kms_key_arn != "" ? var.kms_key_arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "bucket" {
  bucket = aws_s3_bucket.bucket.bucket

  versioning_configuration { status = var.versioning ? "Enabled" : "Suspended" }
}

resource "aws_s3_bucket_policy" "bucket" {
  bucket = aws_s3_bucket.bucket.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.bucket.arn, "${aws_s3_bucket.bucket.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      # The two steps of an upload in parts that come before its completion make no object and cannot carry the header.
      !var.write_once ? [] : [{
        Sid       = "WriteOnce"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.bucket.arn}/*"
        Condition = { Null = { "s3:if-none-match" = "true" }, Bool = { "s3:ObjectCreationOperation" = "true" } }
      }],
    )
  })

  # S3 refuses two changes to a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.bucket]
}

resource "aws_s3_bucket_lifecycle_configuration" "bucket" {
  #checkov:skip=CKV_AWS_300:the rule `leftovers` does; checkov does not see it behind the dynamic one
  bucket = aws_s3_bucket.bucket.bucket

  # A rule must do something, so there is none where there is nothing to do.
  dynamic "rule" {
    for_each = { for id, rule in var.lifecycle_days : id => rule if rule.archive + rule.days > 0 }

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

  depends_on = [aws_s3_bucket_versioning.bucket]
}
