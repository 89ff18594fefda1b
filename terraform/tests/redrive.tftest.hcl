# What sends again what failed. tests/tools/redrive_command gives the command to a shell.
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

run "what_failed_is_sent_again_as_the_function_is_set" {
  variables {
    claim_hours  = 48
    event_fields = ["id", "name", "ts"]
    event_types  = ["account:created", "login", "owner's $HOME"]
    event_years  = "2020-2030"
  }

  assert {
    condition = output.redrive_command == join(" ", [
      "nozzle redrive s3://${module.lake_bucket.bucket.bucket}/errors/",
      "--to stream:${module.delivery[0].stream.name}",
      "--table ${module.claims["lake"].table.name} --ttl-hours 48",
      "--event-identity event --event-years 2020-2030",
      "--partition-keys event_type,event_subtype,year,month,day",
      "--event-fields 'id,name,ts'",
      "--event-types 'account:created,login,owner'\\''s $HOME'",
    ])
    error_message = "The command does not say what the function is told."
  }

  # As src/tool/presets.rs reads it.
  assert {
    condition = output.nozzle_toml == join("\n", [
      "# What this environment's function is told, for nozzle on your machine.",
      "event_identity = \"event\"",
      "event_fields = [\"id\",\"name\",\"ts\"]",
      "event_years = \"2020-2030\"",
      "event_types = [\"account:created\",\"login\",\"owner's $HOME\"]",
      "partition_keys = [\"event_type\",\"event_subtype\",\"year\",\"month\",\"day\"]",
      "prefix = \"${module.partitioning.prefix}\"",
      "error_prefix = \"${module.partitioning.error_prefix}\"",
      "",
      "[redrive]",
      "to = \"stream:${module.delivery[0].stream.name}\"",
      "table = \"${module.claims["lake"].table.name}\"",
      "ttl_hours = 48",
      "",
      "[find]",
      "lake = \"s3://${module.lake_bucket.bucket.bucket}/\"",
      "table = \"${module.claims["lake"].table.name}\"",
      "",
    ])
    error_message = "The settings are not those of the function."
  }
}
