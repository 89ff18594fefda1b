# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "Its function's name, and the first part of its alarms'."
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

variable "buckets" {
  type = object({
    ingestion = object({ name = string, made = bool })
    processed = object({ name = string, made = bool })
  })
  description = "Where packets come in and the star's files go, and whether the bucket is made here."
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the customer key that encrypts both; empty where S3 manages it."
  nullable    = false
}

variable "alarm_kms_key_arn" {
  type        = string
  description = "ARN of the customer key that encrypts the alarm topic; empty for none."
  nullable    = false
}

variable "versioning" {
  type        = bool
  description = "Whether the buckets keep what is overwritten or deleted."
  nullable    = false
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the buckets refuse to be deleted while they hold anything."
  nullable    = false
}

variable "refused_days" {
  type        = number
  description = "Days after which refused rows are deleted."
  nullable    = false
}

variable "star" {
  type        = string
  description = "Where the description is, in S3 or in the zip; null for the built-in one."
}

variable "tables" {
  type        = string
  description = "Path of the file that says its tables and views; null for the built-in description's."
}

variable "database" {
  type        = string
  description = "Name of the database to make."
  nullable    = false
}

variable "parameter_prefix" {
  type        = string
  description = "What the names of its parameters begin with, a slash at both ends."
  nullable    = false
}

variable "parameters_arn" {
  type        = string
  description = "What the ARNs of all parameters begin with."
  nullable    = false
}

variable "partition" {
  type        = string
  description = "What ARNs begin with, behind `arn:`."
  nullable    = false
}

variable "service_suffix" {
  type        = string
  description = "How KMS calls a service of the region."
  nullable    = false
}

variable "refused_rows_max" {
  type        = number
  description = "The share of a packet's rows beyond which it is refused whole."
  nullable    = false
}

variable "refused_percent_max" {
  type        = number
  description = "The share of rows, in percent, that may be refused before an alarm."
  nullable    = false
}

variable "late_hours" {
  type        = number
  description = "How old the newest row of a packet may be before an alarm."
  nullable    = false
}
