# Wrong values are refused at plan, each by the variable it belongs to.
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

run "events_that_cannot_be_partitioned" {
  command = plan

  variables {
    partition_keys         = ["event_type", "country"]
    event_years            = "2039-2020"
    event_types            = ["account:created", "a:b:c"]
    event_identity         = "name"
    claim_hours            = 0
    on_claim_failure       = "drop"
    on_differing_duplicate = "keep"
  }

  expect_failures = [var.partition_keys, var.event_years, var.event_types, var.event_identity, var.claim_hours, var.on_claim_failure, var.on_differing_duplicate]
}

run "claims_that_are_paid_in_no_way_there_is" {
  command = plan

  variables {
    claim_capacity    = "provisioned"
    claim_write_units = { minimum = 400, maximum = 400 }
  }

  expect_failures = [var.claim_capacity, var.claim_write_units]
}

run "units_that_dynamodb_does_not_take" {
  command = plan

  variables {
    claim_write_units = { minimum = 0.5, maximum = 400, used_percent = 95 }
  }

  expect_failures = [var.claim_write_units]
}

run "a_floor_that_never_ends" {
  command = plan

  variables {
    claim_floors = { morning = { schedule = "cron(45 7 ? * * *)", minimum = 100 } }
  }

  expect_failures = [var.claim_floors]
}

run "floors_without_a_schedule_or_above_the_most" {
  command = plan

  variables {
    claim_floors = {
      morning = { schedule = "07:45", minimum = 100 }
      night   = { schedule = "cron(0 20 ? * * *)", minimum = 4001 }
    }
  }

  expect_failures = [var.claim_floors]
}

run "keys_that_are_none_or_twice" {
  command = plan

  variables {
    partition_keys = ["year", "year"]
  }

  expect_failures = [var.partition_keys]
}

run "no_keys_at_all" {
  command = plan

  variables {
    partition_keys = []
  }

  expect_failures = [var.partition_keys]
}

run "fields_that_are_not_three" {
  command = plan

  variables {
    event_fields = ["id", "name"]
  }

  expect_failures = [var.event_fields]
}

run "fields_that_are_no_columns" {
  command = plan

  variables {
    event_fields = ["id", "na-me", "ts"]
  }

  expect_failures = [var.event_fields]
}

run "a_uuid_in_a_field_that_is_replaced" {
  command = plan

  variables {
    event_fields = ["event_type", "name", "ts"]
  }

  expect_failures = [var.event_fields]
}

run "a_time_in_a_field_that_the_name_is_moved_to" {
  command = plan

  variables {
    event_fields = ["id", "event_type", "event_name"]
  }

  expect_failures = [var.event_fields]
}

run "years_the_function_does_not_take" {
  command = plan

  variables {
    event_years = "1969-2020"
  }

  expect_failures = [var.event_years]
}

run "years_that_are_no_years" {
  command = plan

  variables {
    event_years = "2020"
  }

  expect_failures = [var.event_years]
}

run "types_with_commas" {
  command = plan

  variables {
    event_types = ["a,b"]
    claim_hours = 8761
  }

  expect_failures = [var.event_types, var.claim_hours]
}

run "types_with_white_space_around" {
  command = plan

  variables {
    event_types = ["account: created"]
    claim_hours = 1.5
  }

  expect_failures = [var.event_types, var.claim_hours]
}

run "types_named_twice" {
  command = plan

  variables {
    event_types = ["login", "login"]
  }

  expect_failures = [var.event_types]
}

run "a_partition_key_as_a_column" {
  command = plan

  variables {
    event_columns = { year = "int" }
  }

  expect_failures = [var.event_columns]
}

run "a_column_athena_cannot_name" {
  command = plan

  variables {
    event_columns = { Amount = "double" }
  }

  expect_failures = [var.event_columns]
}

run "a_column_of_an_unknown_type" {
  command = plan

  variables {
    event_columns = { amount = "number" }
  }

  expect_failures = [var.event_columns]
}

run "parquet_without_columns" {
  command = plan

  variables {
    format = "parquet"
  }

  expect_failures = [var.event_columns]
}

run "a_stream_firehose_does_not_take" {
  command = plan

  variables {
    stream_source              = "msk"
    format                     = "csv"
    transform_buffer_megabytes = 0.1
    transform_buffer_seconds   = 901
    transform_retries          = 301
    stream_revision            = 0
    kinesis_retention_hours    = 23
    kinesis_kms_key_arn        = "alias/mine"
  }

  expect_failures = [var.stream_source, var.format, var.transform_buffer_megabytes, var.transform_buffer_seconds, var.transform_retries, var.stream_revision, var.kinesis_retention_hours, var.kinesis_kms_key_arn]
}

run "buffers_too_small" {
  command = plan

  variables {
    buffer_megabytes = 63
    buffer_seconds   = 59
  }

  expect_failures = [var.buffer_megabytes, var.buffer_seconds]
}

run "buffers_too_large" {
  command = plan

  variables {
    buffer_megabytes           = 129
    buffer_seconds             = 901
    transform_buffer_megabytes = 3.5
  }

  expect_failures = [var.buffer_megabytes, var.buffer_seconds, var.transform_buffer_megabytes]
}

run "buffers_that_equal_what_firehose_does_not_store" {
  command = plan

  variables {
    transform_buffer_megabytes = 1
    transform_buffer_seconds   = 60
  }

  expect_failures = [var.transform_buffer_megabytes, var.transform_buffer_seconds]
}

run "a_kinesis_stream_that_is_none" {
  command = plan

  variables {
    kinesis_stream_arn = "events"
  }

  expect_failures = [var.kinesis_stream_arn]
}

run "a_kinesis_stream_that_is_not_read" {
  command = plan

  variables {
    kinesis_stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
  }

  expect_failures = [var.kinesis_stream_arn]
}

run "a_function_lambda_does_not_take" {
  command = plan

  variables {
    function_memory_megabytes     = 64
    function_reserved_concurrency = 0
    function_log_level            = "info"
    log_retention_days            = 2
  }

  expect_failures = [var.function_memory_megabytes, var.function_reserved_concurrency, var.function_log_level, var.log_retention_days]
}

run "names_aws_does_not_take" {
  command = plan

  variables {
    project     = "Nozzle"
    region      = "Frankfurt"
    bucket_name = "My_Lake"
  }

  expect_failures = [var.project, var.region, var.bucket_name]
}

run "a_region_of_the_sovereign_cloud_is_one" {
  command = plan

  variables {
    region = "eusc-de-east-1"
  }

  assert {
    condition     = strcontains(module.lake_bucket.bucket.bucket, "eusc-de-east-1")
    error_message = "The region is not used."
  }
}

run "tags_that_differ_in_case_only" {
  command = plan

  variables {
    tags = { team = "a", Team = "b" }
  }

  expect_failures = [var.tags]
}

run "a_tag_that_is_set_already" {
  command = plan

  variables {
    tags                 = { Project = "mine" }
    permissions_boundary = "boundary"
  }

  expect_failures = [var.tags, var.permissions_boundary]
}

# 88 of 33 bytes in 30 characters, one of 8, and their commas.
run "types_of_3000_bytes_are_taken" {
  command = plan

  variables {
    event_types = concat([for number in range(88) : "äöü-a-type-of-thirty-bytes-${number + 100}"], ["12345678"])
  }

  assert {
    condition     = length(var.event_types) == 89
    error_message = "Another list was judged."
  }
}

run "types_of_one_byte_more" {
  command = plan

  variables {
    event_types = concat([for number in range(88) : "äöü-a-type-of-thirty-bytes-${number + 100}"], ["123456789"])
  }

  expect_failures = [var.event_types]
}

run "keys_of_another_region" {
  command = plan

  variables {
    stream_source       = "kinesis"
    kinesis_stream_arn  = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs"
    kinesis_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
    lake_kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/1"
    alarm_kms_key_arn   = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  expect_failures = [var.kinesis_stream_arn, var.kinesis_kms_key_arn, var.lake_kms_key_arn, var.alarm_kms_key_arn]
}

run "a_bucket_name_like_an_address" {
  command = plan

  variables {
    bucket_name = "192.168.0.1"
    project     = "nozzle-"
  }

  expect_failures = [var.bucket_name, var.project]
}

run "a_bucket_name_with_two_dots" {
  command = plan

  variables {
    bucket_name = "my..lake"
  }

  expect_failures = [var.bucket_name]
}

run "a_bucket_name_that_is_reserved" {
  command = plan

  variables {
    bucket_name = "lake-s3alias"
  }

  expect_failures = [var.bucket_name]
}

run "an_environment_that_is_no_name" {
  command = plan

  variables {
    environment = "Prod!"
  }

  expect_failures = [var.environment]
}

run "storage_that_makes_no_sense" {
  command = plan

  variables {
    lake_kms_key_arn          = "alias/mine"
    lake_archive_days         = -1
    error_expiration_days     = 0
    originals_expiration_days = 0
    query_scan_gigabytes_max  = 0
  }

  expect_failures = [var.lake_kms_key_arn, var.lake_archive_days, var.error_expiration_days, var.originals_expiration_days, var.query_scan_gigabytes_max]
}

run "deleting_before_archiving" {
  command = plan

  variables {
    lake_expiration_days = 30
  }

  expect_failures = [var.lake_expiration_days]
}

run "alarms_that_cannot_ring" {
  command = plan

  variables {
    alarm_email                = "nobody"
    alarm_kms_key_arn          = "alias/aws/sns"
    refused_percent_max        = 100
    active_partitions_quota    = 0
    delivery_delay_seconds_max = 599
  }

  expect_failures = [var.alarm_email, var.alarm_kms_key_arn, var.refused_percent_max, var.active_partitions_quota, var.delivery_delay_seconds_max]
}

run "nothing_at_all" {
  command = plan

  variables {
    lake = false
  }

  expect_failures = [var.lake]
}

run "an_event_log_that_the_function_does_not_take" {
  command = plan

  variables {
    event_log                        = true
    event_log_id                     = "event_uuid"
    event_log_on_conflict            = "keep-last"
    event_log_search_key             = "sensor"
    event_log_search_buckets         = 0
    event_log_data                   = "json"
    event_log_on_unreadable          = "drop"
    event_log_ttl_hours              = -1
    event_log_parallelization_factor = 11
    event_log_memory_megabytes       = 64
  }

  expect_failures = [
    var.event_log_id, var.event_log_on_conflict, var.event_log_search_key, var.event_log_search_buckets, var.event_log_data,
    var.event_log_on_unreadable, var.event_log_ttl_hours, var.event_log_parallelization_factor, var.event_log_memory_megabytes,
  ]
}

run "numbers_that_are_not_whole_and_pointers_that_are_broken" {
  command = plan

  variables {
    event_log_id                     = "/a~2"
    event_log_search_key             = "/a~"
    event_log_search_buckets         = 1.5
    event_log_ttl_hours              = 0.5
    event_log_parallelization_factor = 1.5
    event_log_memory_megabytes       = 128.5
  }

  expect_failures = [var.event_log_id, var.event_log_search_key, var.event_log_search_buckets, var.event_log_ttl_hours, var.event_log_parallelization_factor, var.event_log_memory_megabytes]
}

run "numbers_of_the_event_log_that_are_too_large" {
  command = plan

  variables {
    event_log_search_buckets         = 1001
    event_log_ttl_hours              = 876001
    event_log_parallelization_factor = 0
    event_log_memory_megabytes       = 10241
  }

  expect_failures = [var.event_log_search_buckets, var.event_log_ttl_hours, var.event_log_parallelization_factor, var.event_log_memory_megabytes]
}

run "an_event_processor_that_the_function_does_not_take" {
  command = plan

  variables {
    event_processor                         = true
    event_processor_stream_arns             = ["theirs"]
    event_processor_batch_seconds           = 301
    event_processor_windows                 = ["minute"]
    event_processor_unique_users            = "some"
    event_processor_counter_slots           = 0
    event_processor_counter_ttl_days        = -1
    event_processor_claims                  = "theirs"
    event_processor_assignments_table       = "arn:aws:dynamodb:eu-central-1:123456789012:table/assignments"
    event_processor_assignments_lookup      = "by-user"
    event_processor_assignment_fields       = ["id", "variant"]
    event_processor_experiments_table       = "ab"
    event_processor_experiment_key          = "a b"
    event_processor_lookup_kms_key_arns     = ["alias/theirs"]
    event_processor_on_enrichment_failure   = "drop"
    event_processor_archive_expiration_days = 90
    event_processor_memory_megabytes        = 64
  }

  expect_failures = [
    var.event_processor_stream_arns, var.event_processor_batch_seconds, var.event_processor_windows, var.event_processor_unique_users, var.event_processor_counter_slots,
    var.event_processor_counter_ttl_days, var.event_processor_claims, var.event_processor_assignments_table, var.event_processor_assignments_lookup,
    var.event_processor_assignment_fields, var.event_processor_experiments_table, var.event_processor_experiment_key, var.event_processor_lookup_kms_key_arns,
    var.event_processor_on_enrichment_failure, var.event_processor_archive_expiration_days, var.event_processor_memory_megabytes,
  ]
}

run "windows_named_twice_and_numbers_that_are_not_whole" {
  command = plan

  variables {
    event_processor_batch_seconds           = 0.5
    event_processor_windows                 = ["day", "day"]
    event_processor_counter_slots           = 1.5
    event_processor_counter_ttl_days        = 0.5
    event_processor_assignments_lookup      = "key:user_id"
    event_processor_assignment_fields       = ["id", "the variant", "at"]
    event_processor_archive_expiration_days = 99.5
    event_processor_memory_megabytes        = 128.5
  }

  expect_failures = [
    var.event_processor_batch_seconds, var.event_processor_windows, var.event_processor_counter_slots, var.event_processor_counter_ttl_days, var.event_processor_assignments_lookup,
    var.event_processor_assignment_fields, var.event_processor_archive_expiration_days, var.event_processor_memory_megabytes,
  ]
}

run "numbers_of_the_event_processor_that_are_too_large" {
  command = plan

  variables {
    event_processor_batch_seconds    = 0
    event_processor_windows          = []
    event_processor_counter_slots    = 10001
    event_processor_counter_ttl_days = 36501
    event_processor_memory_megabytes = 10241
  }

  expect_failures = [
    var.event_processor_batch_seconds, var.event_processor_windows, var.event_processor_counter_slots, var.event_processor_counter_ttl_days, var.event_processor_memory_megabytes,
  ]
}

run "values_of_the_star_that_are_refused" {
  command = plan

  variables {
    star_schema_buckets          = { ingestion = "arn:aws:s3:::packets" }
    star_schema_description      = { star = "star.toml", tables = "no-such.json" }
    star_schema_parameter_prefix = "/aws/star/"
    star_schema_refused_rows_max = 1.1
    star_schema_late_hours       = 0
    star_schema_memory_megabytes = 127
  }

  expect_failures = [
    var.star_schema_buckets, var.star_schema_description, var.star_schema_parameter_prefix, var.star_schema_refused_rows_max, var.star_schema_late_hours, var.star_schema_memory_megabytes,
  ]
}

run "other_values_of_the_star_that_are_refused" {
  command = plan

  variables {
    star_schema_buckets          = { ingestion = "same", processed = "same" }
    star_schema_description      = { star = "s3://", tables = "star_schema/star.json" }
    star_schema_parameter_prefix = "star"
    star_schema_refused_rows_max = -0.1
    star_schema_memory_megabytes = 10241
  }

  expect_failures = [
    var.star_schema_buckets, var.star_schema_description, var.star_schema_parameter_prefix, var.star_schema_refused_rows_max, var.star_schema_memory_megabytes,
  ]
}

run "the_widest_values_are_taken" {
  command = plan

  variables {
    project                       = "n1"
    bucket_name                   = "my.lake-1"
    partition_keys                = ["hour"]
    event_years                   = "1970-9999"
    event_types                   = ["order placed:by phone", "login"]
    event_columns                 = { amount = "decimal(10,2)", tags = "array<string>", _raw = "map<string,string>" }
    claim_hours                   = 8760
    buffer_megabytes              = 128
    buffer_seconds                = 900
    transform_buffer_megabytes    = 0.2
    transform_buffer_seconds      = 0
    transform_retries             = 0
    function_reserved_concurrency = 1
    refused_percent_max           = 0
    lake_archive_days             = 0
    lake_expiration_days          = 1

    event_log_id                     = "/a~0~1/"
    event_log_search_key             = "/"
    event_log_search_buckets         = 1000
    event_log_ttl_hours              = 876000
    event_log_parallelization_factor = 10

    event_processor_batch_seconds           = 300
    event_processor_windows                 = ["day", "hour"]
    event_processor_counter_slots           = 10000
    event_processor_counter_ttl_days        = 36500
    event_processor_assignments_table       = "a_1"
    event_processor_assignments_lookup      = "index:by-user"
    event_processor_experiment_key          = "_"
    event_processor_archive_expiration_days = 1

    star_schema_buckets          = { processed = "our.star" }
    star_schema_description      = { star = "stars/star.toml", tables = "star_schema/star.json" }
    star_schema_parameter_prefix = "/a/b_1/"
    star_schema_refused_rows_max = 0
    star_schema_late_hours       = 0.1
  }

  assert {
    condition     = module.lake_bucket.bucket.bucket == "my.lake-1"
    error_message = "bucket_name is not used."
  }
}

run "small_buffers_are_taken_where_firehose_takes_them" {
  command = plan

  variables {
    transform        = false
    buffer_megabytes = 1
    buffer_seconds   = 0
  }

  assert {
    condition     = module.delivery[0].stream.extended_s3_configuration[0].buffering_size == 1
    error_message = "buffer_megabytes is not used."
  }
}
