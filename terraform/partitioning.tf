# The one place that says where an event lies: Firehose's prefix, the function's PARTITION_KEYS
# and Athena's table all come from it. The logic is a module of its own without a provider, so
# that it is tested without one.

module "partitioning" {
  source = "./partitioning"

  bucket         = local.bucket_name
  transform      = var.transform
  format         = var.format
  partition_keys = var.partition_keys
  event_fields   = var.event_fields
  event_years    = var.event_years
  event_types    = var.event_types
  event_columns  = var.event_columns
}
