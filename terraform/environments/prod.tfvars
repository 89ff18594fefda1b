# What people rely on: kept, protected, and given room.
environment = "prod"
region      = "eu-central-1"

event_years = "2020-2039"

function_memory_megabytes = 1024
log_retention_days        = 90

deletion_protection = true
lake_versioning     = true

# Without an address alarms ring for nobody. AWS mails it first, to be confirmed.
# alarm_email = "oncall@example.com"

# A steady load is cheaper with provisioned units, see docs/deploy.md; `nozzle plan` has the numbers.
# claim_capacity    = "auto"
# claim_write_units = { minimum = 400, maximum = 4000 }
