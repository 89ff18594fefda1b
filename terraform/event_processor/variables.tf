# The root module validates what a person sets; these are its values, passed on.

variable "reader" {
  type = object({
    name                   = string # the first part of its queue's and its alarms' too
    role_name              = string # the account's
    zip                    = string
    memory_megabytes       = number
    streams                = map(string) # ARNs; the keys are the mappings' own
    parallelization_factor = number      # how many batches of one shard are worked on at once
    dead_letter_folder     = string

    place = object({
      bucket              = string
      bucket_arn          = string
      bucket_kms_key_arn  = string # empty where S3 manages it
      given_up_folder     = string # where Lambda leaves what it gave up
      streams_kms_key_arn = string # empty where they have none
      service_suffix      = string # how KMS calls a service of the region
    })

    shared = object({
      permissions_boundary = string # null for none
      log_level            = string
      log_retention_days   = number
      alarm_topic_arn      = string
    })
  })
  description = "Its function, which has the table's name, and the streams it reads."
  nullable    = false
}

variable "deletion_protection" {
  type        = bool
  description = "Whether its table refuses to be deleted."
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
