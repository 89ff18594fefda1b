# Like prod in all that shapes events and paths, so that it shows what prod will do.
environment = "staging"
region      = "eu-central-1"

event_years = "2020-2039"

function_memory_megabytes = 512
log_retention_days        = 30

deletion_protection   = false
lake_archive_days     = 0
lake_expiration_days  = 90
error_expiration_days = 30

event_processor_archive_expiration_days = 90
