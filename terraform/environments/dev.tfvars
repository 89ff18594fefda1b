# To try things: small, short-lived, easily torn down.
environment = "dev"
region      = "eu-central-1"

event_years = "2020-2039"

buffer_seconds            = 60
function_memory_megabytes = 256
log_retention_days        = 7

deletion_protection   = false
lake_expiration_days  = 30
lake_archive_days     = 0
error_expiration_days = 14

event_processor_archive_expiration_days = 30
