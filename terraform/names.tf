# What everything is called. Two environments share an account, and one environment may live in
# two regions: what is named per account carries the environment, what is global (roles, dashboards) the region too.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  name        = "${var.project}-${var.environment}"
  global_name = "${local.name}-${var.region}"
  bucket_name = var.bucket_name != "" ? var.bucket_name : "${local.name}-lake-${local.account_id}-${var.region}"

  # How a service of this region is called as the one that KMS is asked by.
  service_suffix = "${var.region}.${data.aws_partition.current.dns_suffix}"

  permissions_boundary = var.permissions_boundary != "" ? var.permissions_boundary : null

  function_name = "${local.name}-transform"

  # What cannot change under a running stream. It is part of the names of all that belongs to one
  # stream, so a change makes the new stream, with its own alias and permissions, before the old
  # ones go: no batch ever meets a function that returns other keys than its prefix names.
  stream_generation = substr(sha256(jsonencode({
    transform = var.transform
    keys      = var.transform ? var.partition_keys : []
    source    = var.stream_source == "kinesis" ? coalesce(var.kinesis_stream_arn, "kinesis") : "direct-put"
    revision  = var.stream_revision
  })), 0, 8)
  stream_name = "${local.name}-${local.stream_generation}"
}
