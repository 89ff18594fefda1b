# What is watched, each metric as CloudWatch's graphs name it: namespace, name, dimension.

locals {
  firehose_metric = { for name in [
    "IncomingRecords", "IncomingBytes", "DataReadFromKinesisStream.Records", "DataReadFromKinesisStream.Bytes",
    "DeliveryToS3.Records", "DeliveryToS3.Bytes", "DeliveryToS3.DataFreshness", "DeliveryToS3.ObjectCount",
    "BackupToS3.DataFreshness", "PartitionCount", "KinesisMillisBehindLatest", "ThrottledRecords",
  ] : name => ["AWS/Firehose", name, "DeliveryStreamName", local.stream_name] }

  transform_count = { for name in [
    "records", "delivered", "duplicates", "duplicates_differing", "reclaimed", "refused", "overflow", "unclaimed",
    "claim_failures", "claim_milliseconds", "total_milliseconds", "request_bytes", "response_bytes",
  ] : name => ["Nozzle", name, "FunctionName", local.function_name] }

  transform_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration"] : name => ["AWS/Lambda", name, "FunctionName", local.function_name] }
}
