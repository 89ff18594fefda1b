# Where an event lies and how it is found again: pure values, no provider, no resource.

terraform {
  required_version = ">= 1.10"
}

locals {
  # Each layout has a folder and a table of its own, so objects of two formats never share one.
  layout = "${var.transform ? "events" : "arrivals"}${var.format == "parquet" ? "_parquet" : ""}"

  location = "s3://${var.bucket}/${coalesce(var.folder, "${local.layout}/")}"

  # Without the function nothing is known of an event but when it arrived.
  keys = var.transform ? var.partition_keys : ["arrival_date"]

  key_expressions = merge(
    { for key in var.partition_keys : key => "!{partitionKeyFromLambda:${key}}" },
    { arrival_date = "!{timestamp:yyyy-MM-dd}" },
  )
  key_types = {
    event_type    = "string"
    event_subtype = "string"
    year          = "int"
    month         = "int"
    day           = "int"
    hour          = "int"
    arrival_date  = "string"
  }

  arrival_folders = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
}

# The types that are listed. A type without subtypes stands for any subtype.
locals {
  types    = distinct([for type in var.event_types : split(":", type)[0]])
  subtypes = distinct([for type in var.event_types : split(":", type)[1] if strcontains(type, ":")])

  types_are_listed    = length(local.types) > 0
  subtypes_are_listed = local.types_are_listed && alltrue([for type in var.event_types : strcontains(type, ":")])

  # As the function writes a value into a path: all but A-Z a-z 0-9 _ - . ~ is percent-encoded, and
  # so are the dots of a value of dots only and the first byte of what readers take for no value.
  path_values = {
    for value in concat(local.types, local.subtypes) : value => (
      can(regex("^[.]+$", value)) ? replace(value, ".", "%2E") :
      value == "__HIVE_DEFAULT_PARTITION__" ? "%5F_HIVE_DEFAULT_PARTITION__" :
      replace(urlencode(value), "+", "%20")
    )
  }
}

# Athena computes the partitions from these instead of looking them up, so a new one can be read at once.
locals {
  injected = { type = "injected" }

  projections = {
    event_type = local.types_are_listed ? {
      type   = "enum"
      values = join(",", [for type in local.types : local.path_values[type]])
    } : local.injected
    event_subtype = local.subtypes_are_listed ? {
      type   = "enum"
      values = join(",", [for subtype in local.subtypes : local.path_values[subtype]])
    } : local.injected
    year  = { type = "integer", range = replace(var.event_years, "-", ","), digits = "4" }
    month = { type = "integer", range = "1,12", digits = "2" }
    day   = { type = "integer", range = "1,31", digits = "2" }
    hour  = { type = "integer", range = "0,23", digits = "2" }
    arrival_date = {
      type            = "date"
      format          = "yyyy-MM-dd"
      range           = "2020-01-01,NOW"
      interval        = "1"
      "interval.unit" = "DAYS"
    }
  }

  projection_parameters = merge([
    for key in local.keys : {
      for property, value in local.projections[key] : "projection.${key}.${property}" => value
    }
  ]...)
}

# Every event has these; where one is a partition key, the folder's name is its value.
locals {
  columns_received = { for field in var.event_fields : lower(field) => "string" }
  columns_added = merge(
    { created_datetime = "string", event_type = "string", event_subtype = "string" },
    local.adds_name ? { event_name = "string" } : {},
  )
  # The function replaces the field, so it adds the whole name.
  adds_name = contains(["created_datetime", "event_type", "event_subtype"], var.event_fields[1])

  columns = {
    for name, type in merge(
      local.columns_received,
      var.transform ? local.columns_added : {},
      var.event_columns,
    ) : name => type if !contains(local.keys, name)
  }
}
