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
