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

variable "overflow_folder" {
  type        = string
  description = "Where in the bucket data is that is too large for an item."
  nullable    = false
}

variable "event_id" {
  type        = string
  description = "What an item's `eventId` is."
  nullable    = false
}

variable "on_conflict" {
  type        = string
  description = "What becomes of an event whose id another event has."
  nullable    = false
}

variable "search_key" {
  type        = string
  description = "Pointer to a value by which events are found too; empty for no index."
  nullable    = false
}

variable "search_buckets" {
  type        = number
  description = "Over how many keys of the index one search key's events are spread."
  nullable    = false
}

variable "data" {
  type        = string
  description = "How an item has its event."
  nullable    = false
}

variable "on_unreadable" {
  type        = string
  description = "What becomes of bytes that are not JSON."
  nullable    = false
}

variable "ttl_hours" {
  type        = number
  description = "Hours after which an item expires; 0 for never."
  nullable    = false
}
