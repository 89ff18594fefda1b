# The root module validates what a person sets; these are its values, passed on.

variable "name" {
  type        = string
  description = "The table's name."
  nullable    = false
}

variable "database" {
  type        = string
  description = "Name of its database."
  nullable    = false
}

variable "description" {
  type        = string
  description = "What it is, in a sentence."
  nullable    = false
}

variable "location" {
  type        = string
  description = "Address of the folder, with a slash at its end."
  nullable    = false
}

variable "format" {
  type        = string
  description = "`json` or `parquet`."
  nullable    = false
}

variable "parameters" {
  type        = map(string)
  description = "How the partitions are computed."
  default     = {}
  nullable    = false
}

variable "key_columns" {
  type        = list(object({ name = string, type = string }))
  description = "The partition keys, in the folders' order."
  default     = []
  nullable    = false
}

variable "columns" {
  type        = list(object({ name = string, type = string, comment = optional(string) }))
  description = "The columns, each with its Hive type."
  nullable    = false
}
