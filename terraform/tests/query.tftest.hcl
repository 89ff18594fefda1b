# Athena: a table that finds what is there, and queries that run.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do

  deletion_protection = false
}

run "the_table_reads_where_the_stream_writes" {
  assert {
    condition     = module.table[0].table.storage_descriptor[0].location == "s3://${module.lake_bucket.bucket.bucket}/events/" && startswith(module.delivery[0].stream.extended_s3_configuration[0].prefix, "events/")
    error_message = "The table reads elsewhere."
  }

  assert {
    condition     = module.table[0].table.parameters["projection.enabled"] == "true" && join(",", [for key in module.table[0].table.partition_keys : key.name]) == module.transform[0].function.environment[0].variables.PARTITION_KEYS
    error_message = "A new partition could not be read at once."
  }

  assert {
    condition     = length(setintersection([for key in module.table[0].table.partition_keys : key.name], [for column in module.table[0].table.storage_descriptor[0].columns : column.name])) == 0
    error_message = "A column has a partition key's name; Athena refuses such a table."
  }

  assert {
    condition     = module.table[0].table.parameters["projection.year.range"] == replace(module.transform[0].function.environment[0].variables.EVENT_YEARS, "-", ",")
    error_message = "Athena looks into other years than the function accepts."
  }

  assert {
    condition     = one(module.table[0].table.storage_descriptor[0].ser_de_info).serialization_library == "org.openx.data.jsonserde.JsonSerDe"
    error_message = "JSON is not read as JSON."
  }

  assert {
    condition     = one(module.table[0].table.storage_descriptor[0].ser_de_info).parameters["ignore.malformed.json"] == "true"
    error_message = "One line that the reader cannot take makes the whole query fail."
  }
}

run "parquet_is_read_as_parquet" {
  variables {
    format        = "parquet"
    event_columns = { amount = "double" }
  }

  assert {
    condition = (
      endswith(one(module.table[0].table.storage_descriptor[0].ser_de_info).serialization_library, "ParquetHiveSerDe") &&
      endswith(module.table[0].table.storage_descriptor[0].input_format, "MapredParquetInputFormat") &&
      anytrue([for column in module.table[0].table.storage_descriptor[0].columns : column.name == "amount" && column.type == "double"])
    )
    error_message = "The table is not Parquet, or lacks a column that was listed."
  }
}

run "queries_give_the_keys_that_are_not_listed" {
  assert {
    condition = alltrue([
      for query in aws_athena_named_query.lake :
      strcontains(query.query, "event_type = 'PUT ") && strcontains(query.query, "event_subtype = 'PUT ") && startswith(query.query, "--")
    ])
    error_message = "A query lacks a key that Athena demands, or does not say so."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.lake : strcontains(query.query, "\"nozzle_default\".\"events\"") && query.workgroup == aws_athena_workgroup.lake[0].name])
    error_message = "A query reads another table, or runs in another workgroup."
  }
}

run "listed_types_need_not_be_given" {
  variables {
    event_types = ["account:created", "account:deleted"]
  }

  assert {
    condition     = length(output.keys_to_give) == 0 && !anytrue([for query in aws_athena_named_query.lake : strcontains(query.query, "PUT ")])
    error_message = "A query asks for what Athena knows."
  }
}

run "queries_run_without_the_function_too" {
  variables {
    transform = false
  }

  assert {
    condition     = !anytrue([for query in aws_athena_named_query.lake : strcontains(query.query, "created_datetime") || strcontains(query.query, "event_type")])
    error_message = "A query names a column that is not there."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.lake : strcontains(query.query, "arrival_date >= ")])
    error_message = "A query reads everything that ever arrived."
  }
}

run "a_query_cannot_read_without_end" {
  variables {
    query_scan_gigabytes_max = 2
  }

  assert {
    condition     = aws_athena_workgroup.lake[0].configuration[0].enforce_workgroup_configuration && aws_athena_workgroup.lake[0].configuration[0].bytes_scanned_cutoff_per_query == 2147483648
    error_message = "The workgroup's limit is not the one set."
  }
}
