# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The name of its table and its function, and the first part of its alarms'."
  nullable    = false
}

variable "role_name" {
  type        = string
  description = "Its role's name, which is the account's."
  nullable    = false
}

variable "zip" {
  type        = string
  description = "Path of its function's zip."
  nullable    = false
}

variable "memory_megabytes" {
  type        = number
  description = "Its function's memory."
  nullable    = false
}

variable "deletion_protection" {
  type        = bool
  description = "Whether its table refuses to be deleted."
  nullable    = false
}

variable "streams" {
  type        = map(string)
  description = "ARNs of the Kinesis streams it reads."
  nullable    = false
}

variable "place" {
  type = object({
    bucket              = string
    bucket_arn          = string
    bucket_kms_key_arn  = string # empty where S3 manages it
    given_up_folder     = string # where Lambda leaves what it gave up
    streams_kms_key_arn = string # empty where they have none
    service_suffix      = string # how KMS calls a service of the region
  })
  description = "What it has in common with the other functions of streams."
  nullable    = false
}

variable "shared" {
  type = object({
    permissions_boundary = string # null for none
    log_level            = string
    log_retention_days   = number
    alarm_topic_arn      = string
  })
  description = "What it has in common with the other functions."
  nullable    = false
}

variable "parallelization_factor" {
  type        = number
  description = "How many batches of one shard are worked on at once: one."
  nullable    = false
}

variable "batch_seconds" {
  type        = number
  description = "How long a batch is gathered."
  nullable    = false
}

variable "archive_folder" {
  type        = string
  description = "Where in the bucket the archive is."
  nullable    = false
}

variable "archive_years" {
  type        = string
  description = "First and last year that Athena looks into, such as `2020-2039`."
  nullable    = false
}

variable "database" {
  type        = string
  description = "Name of the database that has the archive's table."
  nullable    = false
}

variable "dead_letter_folder" {
  type        = string
  description = "Where in the bucket its dead letters are."
  nullable    = false
}

variable "windows" {
  type        = list(string)
  description = "Which windows are counted."
  nullable    = false
}

variable "unique_users" {
  type        = string
  description = "How users are counted."
  nullable    = false
}

variable "counter_slots" {
  type        = number
  description = "Over how many items a counter is spread."
  nullable    = false
}

variable "counter_ttl_days" {
  type        = number
  description = "Days after its window in which a counter expires; 0 for never."
  nullable    = false
}

variable "claims" {
  type        = object({ table = string, arn = string, hours = number })
  description = "Where copies are looked for, and how long an event is remembered; null where they are not."
}

variable "tables_arn" {
  type        = string
  description = "What the ARNs of the tables of assignments and experiments begin with."
  nullable    = false
}

variable "assignments" {
  type        = object({ table = string, lookup = string, fields = list(string) })
  description = "The table of assignments, empty for none; how one is found there, and its attributes."
  nullable    = false
}

variable "experiments" {
  type        = object({ table = string, key = string })
  description = "The table of experiments, empty for none, and its key."
  nullable    = false
}

variable "lookup_kms_key_arns" {
  type        = list(string)
  description = "ARNs of the customer keys that encrypt these two."
  nullable    = false
}

variable "on_enrichment_failure" {
  type        = string
  description = "What becomes of events while these tables cannot answer."
  nullable    = false
}

variable "refused_percent_max" {
  type        = number
  description = "The share of events, in percent, that may be refused before an alarm."
  nullable    = false
}
