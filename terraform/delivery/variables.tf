# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The stream's name."
  nullable    = false
}

variable "environment" {
  type        = string
  description = "What the environment's things are named after."
  nullable    = false
}

variable "generation" {
  type        = string
  description = "What the names of all that belongs to this one stream end with."
  nullable    = false
}

variable "role_name" {
  type        = string
  description = "Its role's name, which is the account's."
  nullable    = false
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds the role; null for none."
}

variable "account_id" {
  type        = string
  description = "The account that Firehose may act for."
  nullable    = false
}

variable "source_stream" {
  type        = object({ arn = string })
  description = "The Kinesis stream that it reads; null where producers put into it."
}

variable "processor" {
  type        = object({ alias_arn = string, buffer_megabytes = number, buffer_seconds = number, retries = number })
  description = "The function that transforms and partitions, and how it is called; null for none."
}

variable "folders" {
  type = object({
    prefix           = string
    error_prefix     = string
    originals_prefix = string
    errors           = string
    originals        = string
  })
  description = "Where in the bucket what goes."
  nullable    = false
}

variable "buffer" {
  type        = object({ megabytes = number, seconds = number })
  description = "When an object is written."
  nullable    = false
}

variable "delay_seconds_max" {
  type        = number
  description = "How old the oldest undelivered record may be before an alarm."
  nullable    = false
}

variable "active_partitions_quota" {
  type        = number
  description = "How many active partitions a stream may have; an alarm comes at 80 % of it."
  nullable    = false
}

variable "backs_up_originals" {
  type        = bool
  description = "Whether every record is also kept as it came."
  nullable    = false
}

variable "catalog" {
  type        = object({ database = string, table = string, arns = list(string) })
  description = "Whose columns Parquet has; null for JSON."
}

variable "log_retention_days" {
  type        = number
  description = "How long its log is kept."
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
  description = "What it has in common with the functions of streams."
  nullable    = false
}
