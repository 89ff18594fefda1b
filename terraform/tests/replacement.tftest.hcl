# What makes a new stream, and what does not: a new one starts empty, and at the latest record.
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

run "today" {}

run "what_a_running_stream_can_take_changes_it_in_place" {
  variables {
    event_years               = "2020-2039"
    event_types               = ["account:created"]
    event_columns             = { amount = "double" }
    format                    = "parquet"
    buffer_seconds            = 60
    transform_retries         = 2
    function_memory_megabytes = 1024
  }

  assert {
    condition     = module.delivery[0].stream.name == run.today.stream_name && module.transform[0].alias.name == "stream-${local.stream_generation}"
    error_message = "A new stream is made, and producers moved, for nothing."
  }
}

run "other_keys_make_a_new_stream_with_its_own_alias_and_permission" {
  variables {
    partition_keys = ["event_type", "year", "month", "day"]
  }

  assert {
    condition     = module.delivery[0].stream.name != run.today.stream_name
    error_message = "The running stream would meet other keys than its prefix names."
  }

  assert {
    condition = (
      module.transform[0].alias.name == "stream-${local.stream_generation}" &&
      module.delivery[0].policies.invoke.name == "invoke-${local.stream_generation}" &&
      endswith(module.delivery[0].stream.name, local.stream_generation)
    )
    error_message = "The new stream shares something with the old one that must change with it."
  }
}

run "the_order_of_keys_counts" {
  variables {
    partition_keys = ["event_subtype", "event_type", "year", "month", "day"]
  }

  assert {
    condition     = module.delivery[0].stream.name != run.today.stream_name
    error_message = "The prefix changes under a running stream."
  }
}

run "another_source_makes_a_new_stream" {
  variables {
    stream_source = "kinesis"
  }

  assert {
    condition     = module.delivery[0].stream.name != run.today.stream_name && module.delivery[0].policies.source.name == "source-${local.stream_generation}"
    error_message = "A stream cannot change its source."
  }
}

run "another_kinesis_stream_makes_a_new_stream" {
  variables {
    stream_source      = "kinesis"
    kinesis_stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/theirs"
  }

  assert {
    condition     = module.delivery[0].stream.name != run.another_source_makes_a_new_stream.stream_name
    error_message = "A stream cannot change its source."
  }
}

run "taking_the_function_out_makes_a_new_stream" {
  variables {
    transform = false
  }

  assert {
    condition     = module.delivery[0].stream.name != run.today.stream_name
    error_message = "Dynamic partitioning cannot be turned off under a running stream."
  }
}

run "without_the_function_keys_do_not_matter" {
  variables {
    transform      = false
    partition_keys = ["year"]
  }

  assert {
    condition     = module.delivery[0].stream.name == run.taking_the_function_out_makes_a_new_stream.stream_name
    error_message = "A new stream is made for keys that are not in use."
  }
}

run "a_new_stream_can_be_asked_for" {
  variables {
    stream_revision = 2
  }

  assert {
    condition     = module.delivery[0].stream.name != run.today.stream_name
    error_message = "stream_revision does nothing."
  }
}
