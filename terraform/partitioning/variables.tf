# The root module validates what a person sets; these are its values, passed on.

variable "bucket" {
  type        = string
  description = "Name of the lake's bucket."
  nullable    = false
}

variable "folder" {
  type        = string
  description = "Where it lies in the bucket; null for where the lake's stream delivers."
  default     = null
}

variable "transform" {
  type        = bool
  description = "Whether the function transforms and partitions what comes."
  nullable    = false
}

variable "format" {
  type        = string
  description = "`json` or `parquet`."
  nullable    = false
}

variable "partition_keys" {
  type        = list(string)
  description = "The keys, in the prefix's order."
  nullable    = false
}

variable "event_fields" {
  type        = list(string)
  description = "The fields of an event's uuid, name and time."
  default     = ["event_uuid", "event_name", "created_at"]
  nullable    = false
}

variable "event_years" {
  type        = string
  description = "First and last year, such as `2020-2039`."
  nullable    = false
}

variable "event_types" {
  type        = list(string)
  description = "The types accepted, such as `account:created` or `login`; empty for any."
  nullable    = false
}

variable "event_columns" {
  type        = map(string)
  description = "Columns beyond those of every event, name to type."
  nullable    = false
}
