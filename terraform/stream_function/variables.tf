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
  description = "The function and what it reads; what it has in common with others of streams, and with all."
  nullable    = false
}

variable "title" {
  type        = string
  description = "What its graphs on the dashboard begin with."
  nullable    = false
}

variable "description" {
  type        = string
  description = "What it does, in a sentence."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Its settings, beside those of where it sets aside."
  nullable    = false
}

variable "statements" {
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    via       = optional(string)
  }))
  description = "What it may do beside reading, setting aside and logging."
  nullable    = false
}

variable "timeout_seconds" {
  type        = number
  description = "How long a call may take."
  nullable    = false
}

variable "batch" {
  type        = object({ records = number, seconds = number })
  description = "The most records of a batch, and how long it is gathered."
  nullable    = false
}

variable "folders" {
  type        = list(string)
  description = "What other folders of the bucket it writes."
  nullable    = false
}

variable "advice" {
  type        = object({ behind = string, dead_letters = string })
  description = "What to do where it is behind and nothing fails, and with dead letters."
  nullable    = false
}

variable "alarms" {
  type        = map(object({ metric = list(string), limit = number, description = string }))
  description = "What else rings, as the function's module has it."
  nullable    = false
}

variable "computed_alarms" {
  type = map(object({
    expression     = string
    counts         = list(string)
    limit          = number
    period_seconds = optional(number)
    periods        = optional(number)
    periods_above  = optional(number)
    description    = string
  }))
  description = "What else rings by several counts, as the function's module has it."
  default     = {}
  nullable    = false
}
