# Where an event lies and how it is found again. No provider is needed: `terraform init && terraform test` here.

variables {
  bucket         = "lake"
  transform      = true
  format         = "json"
  partition_keys = ["event_type", "event_subtype", "year", "month", "day"]
  event_years    = "2020-2039"
  event_types    = []
  event_columns  = {}
}

run "the_prefix_names_exactly_the_keys_in_order" {
  command = plan

  assert {
    condition     = output.prefix == "events/event_type=!{partitionKeyFromLambda:event_type}/event_subtype=!{partitionKeyFromLambda:event_subtype}/year=!{partitionKeyFromLambda:year}/month=!{partitionKeyFromLambda:month}/day=!{partitionKeyFromLambda:day}/"
    error_message = "The default prefix is not the documented one: ${output.prefix}"
  }

  assert {
    condition     = join(",", [for match in regexall("partitionKeyFromLambda:([a-z_]+)", output.prefix) : match[0]]) == join(",", output.keys)
    error_message = "The prefix names other keys than the function returns."
  }

  assert {
    condition     = length(output.prefix) <= 512
    error_message = "Firehose takes a prefix of 512 characters at most."
  }
}

run "the_keys_may_be_few_and_in_another_order" {
  command = plan

  variables {
    partition_keys = ["year", "month", "day", "hour", "event_type"]
  }

  assert {
    condition     = output.prefix == "events/year=!{partitionKeyFromLambda:year}/month=!{partitionKeyFromLambda:month}/day=!{partitionKeyFromLambda:day}/hour=!{partitionKeyFromLambda:hour}/event_type=!{partitionKeyFromLambda:event_type}/"
    error_message = "The prefix does not follow partition_keys: ${output.prefix}"
  }

  assert {
    condition     = join(",", [for column in output.key_columns : column.name]) == "year,month,day,hour,event_type"
    error_message = "The table's partition columns do not follow partition_keys."
  }

  assert {
    condition     = contains(keys(output.columns), "event_subtype") && !contains(keys(output.columns), "event_type")
    error_message = "A field that is no key must be a column, and a key must not."
  }

  assert {
    condition     = !anytrue([for name in keys(output.table_parameters) : startswith(name, "projection.event_subtype")])
    error_message = "The projection covers a key that is not in use."
  }
}

run "events_of_other_names_have_columns_of_these_names" {
  command = plan

  variables {
    partition_keys = ["year"]
    event_fields   = ["eventId", "event_type", "ts"]
  }

  assert {
    condition     = join(",", sort(keys(output.columns))) == "created_datetime,event_name,event_subtype,event_type,eventid,ts"
    error_message = "The table's columns are not those of the events: ${join(",", sort(keys(output.columns)))}"
  }

  assert {
    condition     = join(",", output.identity_columns) == "eventid,event_name,ts"
    error_message = "Events are told apart by others than uuid, name and time."
  }
}

run "errors_and_originals_lie_by_arrival_time" {
  command = plan

  assert {
    condition     = output.error_prefix == "errors/!{firehose:error-output-type}/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
    error_message = "The error prefix is not the documented one: ${output.error_prefix}"
  }

  assert {
    condition     = startswith(output.error_prefix, output.error_folder) && startswith(output.originals_prefix, output.originals_folder)
    error_message = "What is watched and expired by folder is written to another."
  }
}

run "athena_finds_every_event_of_the_accepted_years" {
  command = plan

  assert {
    condition     = output.table_parameters["storage.location.template"] == "s3://lake/events/event_type=$${event_type}/event_subtype=$${event_subtype}/year=$${year}/month=$${month}/day=$${day}/"
    error_message = "The template is not where the prefix writes: ${output.table_parameters["storage.location.template"]}"
  }

  # The prefix with its expressions replaced by the columns is the template.
  assert {
    condition     = "s3://lake/${replace(output.prefix, "/!\\{partitionKeyFromLambda:([a-z_]+)\\}/", "$${$1}")}" == output.table_parameters["storage.location.template"]
    error_message = "Athena looks elsewhere than Firehose writes."
  }

  assert {
    condition = (
      output.table_parameters["projection.enabled"] == "true" &&
      output.table_parameters["projection.year.type"] == "integer" &&
      output.table_parameters["projection.year.range"] == "2020,2039" &&
      output.table_parameters["projection.month.range"] == "1,12" && output.table_parameters["projection.month.digits"] == "2" &&
      output.table_parameters["projection.day.range"] == "1,31" && output.table_parameters["projection.day.digits"] == "2"
    )
    error_message = "The projection does not cover the accepted years, months and days as folders are named."
  }

  assert {
    condition     = join(",", output.keys_to_give) == "event_type,event_subtype" && output.table_parameters["projection.event_type.type"] == "injected"
    error_message = "Types that are not listed must be injected."
  }
}

run "hours_have_two_digits" {
  command = plan

  variables {
    partition_keys = ["year", "month", "day", "hour"]
  }

  assert {
    condition     = output.table_parameters["projection.hour.range"] == "0,23" && output.table_parameters["projection.hour.digits"] == "2"
    error_message = "The projection misses hours, or names them otherwise than the folders."
  }

  assert {
    condition     = length(output.keys_to_give) == 0
    error_message = "Without type and subtype nothing need be given."
  }
}

run "listed_types_are_enumerated_as_folders_are_named" {
  command = plan

  variables {
    event_types = ["account:created", "account:deleted", "order placed:tür~", "login:..", "a+b:unknown"]
  }

  assert {
    condition     = output.table_parameters["projection.event_type.type"] == "enum" && output.table_parameters["projection.event_type.values"] == "account,order%20placed,login,a%2Bb"
    error_message = "The types are not enumerated as the function encodes them: ${output.table_parameters["projection.event_type.values"]}"
  }

  assert {
    condition     = output.table_parameters["projection.event_subtype.values"] == "created,deleted,t%C3%BCr~,%2E%2E,unknown"
    error_message = "The subtypes are not enumerated as the function encodes them: ${output.table_parameters["projection.event_subtype.values"]}"
  }

  assert {
    condition     = length(output.keys_to_give) == 0
    error_message = "Listed values need not be given."
  }
}

run "a_type_without_subtypes_leaves_the_subtype_to_be_given" {
  command = plan

  variables {
    event_types = ["account:created", "login"]
  }

  assert {
    condition     = join(",", output.keys_to_give) == "event_subtype" && output.table_parameters["projection.event_type.values"] == "account,login"
    error_message = "A bare type accepts any subtype, so the subtypes cannot be enumerated."
  }
}

run "columns_are_those_of_every_event_and_the_given_ones" {
  command = plan

  variables {
    event_columns = { amount = "double", created_at = "bigint" }
  }

  assert {
    condition = output.columns == {
      amount           = "double"
      created_at       = "bigint"
      created_datetime = "string"
      event_name       = "string"
      event_uuid       = "string"
    }
    error_message = "The columns are not the events' fields without the partition keys."
  }
}

run "each_layout_has_its_own_folder" {
  command = plan

  variables {
    format = "parquet"
  }

  assert {
    condition     = startswith(output.prefix, "events_parquet/") && output.location == "s3://lake/events_parquet/" && output.layout == "events_parquet"
    error_message = "Parquet and JSON share a folder, which no table could read."
  }
}

run "without_the_function_events_lie_by_arrival" {
  command = plan

  variables {
    transform = false
  }

  assert {
    condition     = output.prefix == "arrivals/arrival_date=!{timestamp:yyyy-MM-dd}/"
    error_message = "The prefix still needs a function: ${output.prefix}"
  }

  assert {
    condition = (
      output.table_parameters["storage.location.template"] == "s3://lake/arrivals/arrival_date=$${arrival_date}/" &&
      output.table_parameters["projection.arrival_date.type"] == "date" &&
      output.table_parameters["projection.arrival_date.format"] == "yyyy-MM-dd" &&
      endswith(output.table_parameters["projection.arrival_date.range"], ",NOW")
    )
    error_message = "Athena does not find what arrives."
  }

  assert {
    condition     = !contains(keys(output.columns), "created_datetime")
    error_message = "Nobody adds created_datetime without the function."
  }
}

run "a_table_over_another_folder_looks_there" {
  variables {
    folder         = "archive/"
    partition_keys = ["year", "hour"]
  }

  assert {
    condition     = output.location == "s3://lake/archive/" && output.table_parameters["storage.location.template"] == "s3://lake/archive/year=$${year}/hour=$${hour}/"
    error_message = "The folder is not used."
  }
}
