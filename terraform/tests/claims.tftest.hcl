# How claims are paid: on demand, or by units that follow the load; from one to the other with the same table.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do

  # The module's own.
  name                = "nozzle-default-claims"
  deletion_protection = false
  units               = null
  floors              = {}
}

run "on_demand" {
  module { source = "./claim_table" }

  assert {
    condition     = output.table.billing_mode == "PAY_PER_REQUEST" && output.table.write_capacity == 0 && length(output.scaling.targets) == 0 && length(output.scaling.policies) == 0
    error_message = "Units are provisioned that nobody asked for."
  }
}

run "provisioned_the_table_stays_and_its_units_follow_the_load" {
  module { source = "./claim_table" }

  variables {
    units = { minimum = 400, maximum = 3000, used_percent = 70 }
  }

  assert {
    condition     = output.table.id == run.on_demand.table.id && output.table.billing_mode == "PROVISIONED"
    error_message = "Another table is made, and claims are lost."
  }

  assert {
    condition = { for name, target in output.scaling.targets : target.scalable_dimension => "${target.resource_id} ${target.min_capacity} to ${target.max_capacity}" } == {
      "dynamodb:table:WriteCapacityUnits" = "table/nozzle-default-claims 400 to 3000"
      "dynamodb:table:ReadCapacityUnits"  = "table/nozzle-default-claims 1 to 100"
    }
    error_message = "Other units are provisioned than was asked for."
  }

  assert {
    condition = { for name, policy in output.scaling.policies : policy.scalable_dimension => "${one(one(policy.target_tracking_scaling_policy_configuration).predefined_metric_specification).predefined_metric_type} ${one(policy.target_tracking_scaling_policy_configuration).target_value}" } == {
      "dynamodb:table:WriteCapacityUnits" = "DynamoDBWriteCapacityUtilization 70"
      "dynamodb:table:ReadCapacityUnits"  = "DynamoDBReadCapacityUtilization 70"
    }
    error_message = "Units do not follow what is used of them."
  }
}

run "other_bounds_leave_what_is_provisioned_now" {
  module { source = "./claim_table" }

  variables {
    units = { minimum = 500, maximum = 4000, used_percent = 60 }
    floors = {
      morning = { schedule = "cron(45 7 ? * * *)", minimum = 2000, time_zone = "Europe/Berlin" }
      night   = { schedule = "cron(0 20 ? * * *)", minimum = 500, time_zone = "UTC" }
    }
  }

  assert {
    condition     = output.table.id == run.on_demand.table.id && output.table.write_capacity == run.provisioned_the_table_stays_and_its_units_follow_the_load.table.write_capacity
    error_message = "An apply sets the units back, in the middle of a peak perhaps."
  }

  assert {
    condition     = output.scaling.targets["Write"].min_capacity == 500 && output.scaling.targets["Write"].max_capacity == 4000 && one(output.scaling.policies["Write"].target_tracking_scaling_policy_configuration).target_value == 60
    error_message = "New bounds do not reach AWS."
  }

  assert {
    condition = { for name, floor in output.scaling.floors : name => "${floor.scalable_dimension} ${floor.schedule} ${floor.timezone} ${one(floor.scalable_target_action).min_capacity}" } == {
      morning = "dynamodb:table:WriteCapacityUnits cron(45 7 ? * * *) Europe/Berlin 2000"
      night   = "dynamodb:table:WriteCapacityUnits cron(0 20 ? * * *) UTC 500"
    }
    error_message = "A floor is missing, or is not that of the writes."
  }
}

run "back_on_demand_the_table_stays_too" {
  module { source = "./claim_table" }

  assert {
    condition     = output.table.id == run.on_demand.table.id && output.table.billing_mode == "PAY_PER_REQUEST" && length(output.scaling.targets) == 0
    error_message = "Another table is made, or its scaling is left."
  }
}

run "every_claim_table_is_paid_as_was_said" {
  variables {
    claim_capacity      = "auto"
    claim_write_units   = { minimum = 400, maximum = 3000 }
    event_processor     = true
    event_processor_zip = "versions.tf"
  }

  assert {
    condition     = [for claims in values(module.claims) : "${claims.scaling.targets["Write"].resource_id} ${one(claims.scaling.policies["Write"].target_tracking_scaling_policy_configuration).target_value}"] == ["table/nozzle-default-event-processor-claims 70", "table/nozzle-default-claims 70"]
    error_message = "A claim table is left on demand."
  }

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.metric : name => "${alarm.metric_name} ${alarm.statistic} > ${alarm.threshold}, ${alarm.evaluation_periods} of ${join(" ", values(alarm.dimensions))}" if strcontains(name, "claims-") && alarm.namespace == "AWS/DynamoDB" } == {
      claims-throttled                  = "WriteThrottleEvents Sum > 0, 3 of nozzle-default-claims"
      claims-at-maximum                 = "ProvisionedWriteCapacityUnits Maximum > 2999, 1 of nozzle-default-claims"
      event-processor-claims-throttled  = "WriteThrottleEvents Sum > 0, 3 of nozzle-default-event-processor-claims"
      event-processor-claims-at-maximum = "ProvisionedWriteCapacityUnits Maximum > 2999, 1 of nozzle-default-event-processor-claims"
    }
    error_message = "Nobody is told that a claim table has too few units."
  }

  # The function reads and scales nothing.
  assert {
    condition     = one([for statement in jsondecode(module.transform[0].policy.policy).Statement : statement.Action if statement.Sid == "Claim"]) == ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"]
    error_message = "The function may do more because of how its table is paid."
  }
}
