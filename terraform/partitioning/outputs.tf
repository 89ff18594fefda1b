output "layout" {
  description = "Name of the table and of the folder it reads."
  value       = local.layout
}

output "keys" {
  description = "The partition keys in use, in the prefix's order."
  value       = local.keys
}

output "prefix" {
  description = "Firehose's prefix for what is delivered."
  value       = join("", ["${local.layout}/", join("", [for key in local.keys : "${key}=${local.key_expressions[key]}/"])])
}

output "error_folder" {
  description = "The folder all error files are under."
  value       = "errors/"
}

output "error_prefix" {
  description = "Firehose's prefix for what it could not deliver, by kind of error and arrival."
  value       = "errors/!{firehose:error-output-type}/${local.arrival_folders}"
}

output "originals_folder" {
  description = "The folder the backup of originals is under."
  value       = "originals/"
}

output "originals_prefix" {
  description = "Firehose's prefix for the backup of originals, by arrival."
  value       = "originals/${local.arrival_folders}"
}

output "location" {
  description = "Where the table's objects are."
  value       = local.location
}

# Athena reads every folder below a partition's own, so whatever Firehose may append to the prefix is found too.
output "table_parameters" {
  description = "The table's partition projection over exactly the keys in use."
  value = merge(local.projection_parameters, {
    "projection.enabled"        = "true"
    "storage.location.template" = join("", concat([local.location], [for key in local.keys : "${key}=$${${key}}/"]))
  })
}

output "columns" {
  description = "The table's columns, name to type."
  value       = local.columns
}

output "identity_columns" {
  description = "The columns that tell events apart."
  value       = [for field in var.event_fields : field == var.event_fields[1] && local.adds_name ? "event_name" : lower(field)]
}

output "key_columns" {
  description = "The table's partition columns, in the prefix's order."
  value       = [for key in local.keys : { name = key, type = local.key_types[key] }]
}

output "keys_to_give" {
  description = "The keys each query must give with `=`, because their values are not listed."
  value       = [for key in local.keys : key if local.projections[key].type == "injected"]
}
