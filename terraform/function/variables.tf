# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The function's name, and the first part of its alarms'."
  nullable    = false
}

variable "role_name" {
  type        = string
  description = "Its role's name, which is the account's."
  nullable    = false
}

variable "description" {
  type        = string
  description = "What it does, in a sentence."
  nullable    = false
}

variable "zip" {
  type        = string
  description = "Path of its zip."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Its settings."
  nullable    = false
}

variable "statements" {
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    via       = optional(string)
  }))
  description = "What it may do beside logging; `via` is the service through which alone a key may be used."
  nullable    = false
}

variable "alias" {
  type        = string
  description = "Name of the alias that is called."
  nullable    = false
}

variable "memory_megabytes" {
  type        = number
  description = "Its memory."
  nullable    = false
}

variable "timeout_seconds" {
  type        = number
  description = "How long a call may take."
  nullable    = false
}

variable "reserved_concurrency" {
  type        = number
  description = "How many calls there may be at once; -1 for no limit of its own."
  default     = -1
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

variable "advice" {
  type        = object({ errors = string, throttled = optional(string), slow = string })
  description = "What each of its alarms says: what it means here, and what to do. Without a word on it, throttling does not ring."
  nullable    = false
}

variable "alarms" {
  type        = map(object({ metric = list(string), limit = number, description = string }))
  description = "What else rings, by a metric as CloudWatch's graphs name it; a limit of 0 is for what is counted and must not happen."
  default     = {}
  nullable    = false
}

variable "computed_alarms" {
  type = map(object({
    expression     = string
    counts         = list(string)
    limit          = number
    period_seconds = optional(number, 300)
    periods        = optional(number, 1)
    periods_above  = optional(number, 1)
    description    = string
  }))
  description = "What rings by an expression over the function's own counts."
  default     = {}
  nullable    = false
}
