# In China services have names of their own, by which KMS knows them.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"

  override_data {
    target = data.aws_partition.current
    values = {
      partition  = "aws-cn"
      dns_suffix = "amazonaws.com.cn"
    }
  }
}

variables {
  environment  = "default"
  region       = "cn-north-1"
  function_zip = "versions.tf" # any file will do

  deletion_protection = false
}

run "keys_are_used_by_the_service_of_the_partition" {
  variables {
    stream_source       = "kinesis"
    kinesis_stream_arn  = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/theirs"
    kinesis_kms_key_arn = "arn:aws-cn:kms:cn-north-1:123456789012:key/1"
    lake_kms_key_arn    = "arn:aws-cn:kms:cn-north-1:123456789012:key/2"
  }

  assert {
    condition = [
      for statement in concat(jsondecode(module.delivery[0].policies.lake.policy).Statement, jsondecode(module.delivery[0].policies.source.policy).Statement) :
      statement.Condition.StringEquals["kms:ViaService"] if can(statement.Condition)
    ] == ["s3.cn-north-1.amazonaws.com.cn", "kinesis.cn-north-1.amazonaws.com.cn"]
    error_message = "Firehose may not use the keys."
  }
}

run "what_the_star_reads_and_writes_is_of_the_partition" {
  variables {
    lake            = false
    star_schema     = true
    star_schema_zip = "versions.tf"
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(module.star_schema[0].function.policy.policy).Statement : [for arn in statement.Resource : startswith(arn, "arn:aws-cn:")] if contains(["Find", "Read", "Write", "Remember"], statement.Sid)
    ]))
    error_message = "The function may work on what is in another partition."
  }
}
