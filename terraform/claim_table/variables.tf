# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The table's name."
  nullable    = false
}

variable "deletion_protection" {
  type        = bool
  description = "Whether it refuses to be deleted."
  nullable    = false
}

variable "units" {
  type        = object({ minimum = number, maximum = number, used_percent = number })
  description = "Between which bounds write units are provisioned, and how much of them is to be used; null for on demand."
}

variable "floors" {
  type        = map(object({ schedule = string, minimum = number, time_zone = string }))
  description = "From when on which minimum holds instead."
  nullable    = false
}
