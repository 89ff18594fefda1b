# What rings, where, and what it says.
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

run "what_can_go_wrong_rings" {
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.metric : name => "${alarm.namespace} ${alarm.metric_name}" } == {
      delivery-late         = "AWS/Firehose DeliveryToS3.DataFreshness"
      source-throttled      = "AWS/Firehose ThrottledRecords"
      claims-failing        = "Nozzle claim_failures"
      claims-throttled      = "AWS/DynamoDB WriteThrottleEvents"
      delivered-unclaimed   = "Nozzle unclaimed"
      partitions-near-quota = "AWS/Firehose PartitionCount"
    }
    error_message = "An alarm is missing, or watches another metric."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.metric :
      alarm.dimensions == {
        "AWS/Firehose" = tomap({ DeliveryStreamName = module.delivery[0].stream.name })
        "AWS/DynamoDB" = tomap({ TableName = module.claims["lake"].table.name })
        "Nozzle"       = tomap({ FunctionName = module.transform[0].function.function_name })
      }[alarm.namespace]
    ])
    error_message = "An alarm watches something else than the stream, the claim table or the function."
  }

  assert {
    condition     = module.transform[0].alarms["slow"].threshold == 192000 && aws_cloudwatch_metric_alarm.metric["partitions-near-quota"].threshold == 400
    error_message = "A limit is not 80 % of what it guards."
  }
}

run "what_can_go_wrong_with_a_function_rings" {
  assert {
    condition = { for name, alarm in module.transform[0].alarms : name => "${alarm.alarm_name} ${alarm.namespace} ${alarm.metric_name} ${alarm.statistic}" } == {
      errors    = "nozzle-default-transform-errors AWS/Lambda Errors Sum"
      throttled = "nozzle-default-transform-throttled AWS/Lambda Throttles Sum"
      slow      = "nozzle-default-transform-slow AWS/Lambda Duration Maximum"
    }
    error_message = "An alarm is missing, or watches another metric."
  }

  assert {
    condition     = alltrue([for alarm in module.transform[0].alarms : alarm.dimensions == tomap({ FunctionName = module.transform[0].function.function_name })])
    error_message = "An alarm watches another function."
  }
}

run "every_alarm_reaches_the_topic_and_says_what_to_do" {
  variables {
    event_log            = true
    event_log_zip        = "versions.tf"
    event_log_search_key = "/sensor"
    event_processor      = true
    event_processor_zip  = "versions.tf"
    star_schema          = true
    star_schema_zip      = "versions.tf"
    claim_capacity       = "auto"
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.metric), values(module.transform[0].alarms), values(module.transform[0].computed_alarms), values(module.event_log[0].reader.alarms),
        values(module.event_processor[0].reader.alarms), values(module.event_processor[0].reader.computed_alarms),
        values(module.star_schema[0].function.alarms), values(module.star_schema[0].function.computed_alarms),
      ) :
      contains(alarm.alarm_actions, aws_sns_topic.alarms.arn) && alarm.treat_missing_data == "notBreaching" && length(alarm.alarm_description) > 80 && length(alarm.alarm_description) <= 1024
    ])
    error_message = "An alarm rings nowhere, rings without traffic, or does not say what to do."
  }

  assert {
    condition     = anytrue([for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement.Principal.Service == "cloudwatch.amazonaws.com" && statement.Action == "sns:Publish" && statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012" if statement.Sid == "Alarms"])
    error_message = "The topic refuses alarms."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == null
    error_message = "The topic has a key, with which alarms may not be able to publish."
  }
}

run "refusals_ring_by_share" {
  variables {
    refused_percent_max = 5
  }

  assert {
    condition     = module.transform[0].computed_alarms["refused"].threshold == 5 && length([for query in module.transform[0].computed_alarms["refused"].metric_query : query if query.return_data == true]) == 1
    error_message = "The refused share is not compared with its limit."
  }

  assert {
    condition     = alltrue([for query in module.transform[0].computed_alarms["refused"].metric_query : one(query.metric).namespace == "Nozzle" && one(query.metric).metric_name == query.id && one(query.metric).dimensions == tomap({ FunctionName = module.transform[0].function.function_name }) if query.id != "computed"])
    error_message = "The share is not of the function's own counts."
  }
}

run "error_objects_ring" {
  assert {
    condition     = aws_s3_bucket_notification.lake.eventbridge && aws_s3_bucket_notification.lake.bucket == module.lake_bucket.bucket.bucket
    error_message = "The bucket does not tell of its objects."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.error_objects.event_pattern) == {
      source      = ["aws.s3"]
      detail-type = ["Object Created"]
      detail      = { bucket = { name = [module.lake_bucket.bucket.bucket] }, object = { key = [{ prefix = "errors/" }] } }
    }
    error_message = "The rule does not see the lake's error objects."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.error_objects.state == "ENABLED"
    error_message = "The rule is off unasked."
  }

  assert {
    condition     = startswith(module.delivery[0].stream.extended_s3_configuration[0].error_output_prefix, "errors/")
    error_message = "Error objects lie elsewhere than the rule looks."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.error_objects.arn == aws_sns_topic.alarms.arn &&
      anytrue([for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement.Principal.Service == "events.amazonaws.com" && statement.Action == "sns:Publish" && !can(statement.Condition) if statement.Sid == "ErrorObjects"])
    )
    error_message = "The rule does not reach the topic, or the topic refuses it."
  }
}

run "error_objects_are_silent_where_that_is_wanted" {
  variables {
    error_mail = false
  }

  assert {
    condition     = aws_cloudwatch_event_rule.error_objects.state == "DISABLED" && contains(keys(module.transform[0].computed_alarms), "refused")
    error_message = "Each error file rings although that was turned off, or nothing rings for refusals."
  }
}

run "nobody_is_mailed_unasked" {
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "A subscription without an address."
  }
}

run "a_key_and_an_address_of_the_users_are_taken" {
  variables {
    alarm_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/alarms"
    alarm_email       = "oncall@example.com"
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.alarm_kms_key_arn && aws_sns_topic_subscription.email[0].endpoint == "oncall@example.com" && aws_sns_topic_subscription.email[0].topic_arn == aws_sns_topic.alarms.arn
    error_message = "The key or the address is not used."
  }
}

run "a_kinesis_source_is_watched_as_one" {
  variables {
    stream_source = "kinesis"
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.metric), "source-behind") && !contains(keys(aws_cloudwatch_metric_alarm.metric), "source-throttled")
    error_message = "A source on Kinesis that falls behind is not noticed."
  }
}

run "originals_that_are_not_backed_up_ring" {
  variables {
    format        = "parquet"
    event_columns = { amount = "double" }
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.metric["originals-late"].metric_name == "BackupToS3.DataFreshness" &&
      aws_cloudwatch_metric_alarm.metric["originals-late"].dimensions == tomap({ DeliveryStreamName = module.delivery[0].stream.name })
    )
    error_message = "With Parquet the originals are the only full copy, and nobody notices that they are not written."
  }
}

run "without_the_function_only_the_stream_and_its_claims_are_watched" {
  variables {
    transform = false
  }

  assert {
    condition     = sort(keys(aws_cloudwatch_metric_alarm.metric)) == tolist(["claims-throttled", "delivery-late", "source-throttled"]) && length(module.transform) == 0
    error_message = "An alarm watches a function that is not there."
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "Nozzle") && !strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, "AWS/Lambda")
    error_message = "The dashboard shows a function that is not there."
  }
}

run "the_dashboard_tells_at_a_glance" {
  # A dashboard is the account's, in all its regions.
  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.chain.dashboard_name, var.region) && endswith(output.dashboard, aws_cloudwatch_dashboard.chain.dashboard_name)
    error_message = "The environment's dashboard in another region has the same name."
  }

  assert {
    condition = alltrue([
      for metric in ["IncomingRecords", "DataFreshness", "delivered", "duplicates", "overflow", "claim_milliseconds", "total_milliseconds", "PartitionCount", "ObjectCount", "ConsumedWriteCapacityUnits", "WriteThrottleEvents"] :
      strcontains(aws_cloudwatch_dashboard.chain.dashboard_body, metric)
    ])
    error_message = "The dashboard lacks something that was promised."
  }

  assert {
    condition     = anytrue([for widget in jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets : widget.properties.title == "Refused, by reason" && strcontains(jsonencode(widget.properties.metrics), "SEARCH(")])
    error_message = "Refusals are not shown by reason."
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.chain.dashboard_body).widgets)
    error_message = "Two graphs lie on each other."
  }
}
