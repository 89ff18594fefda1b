# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The bucket's name."
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the customer key that encrypts it; empty where S3 manages it."
  nullable    = false
}

variable "versioning" {
  type        = bool
  description = "Whether it keeps what is overwritten or deleted, for 30 days."
  nullable    = false
}

variable "deletion_protection" {
  type        = bool
  description = "Whether it refuses to be deleted while it holds anything."
  nullable    = false
}

variable "lifecycle_days" {
  type        = map(object({ folder = string, archive = number, days = number }))
  description = "Days after which a folder's objects move to cheaper storage, and are deleted; 0 for never."
  default     = {}
  nullable    = false
}

variable "write_once" {
  type        = bool
  description = "Whether it refuses a write that might replace an object."
  default     = false
  nullable    = false
}
