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

  event_log_count = { for name in [
    "events", "stored", "unreadable", "raw", "text_numbers", "overflow", "duplicates", "conflicts", "dead_letters", "failures",
  ] : name => ["Nozzle", name, "FunctionName", local.event_log_name] }

  lambda_metric = { for function in [local.function_name, local.event_log_name] : function => {
    for name in ["Invocations", "Errors", "Throttles", "Duration", "IteratorAge"] :
    name => ["AWS/Lambda", name, "FunctionName", function]
  } }

  table_metric = { for table in ["${local.name}-claims", local.event_log_name] : table => {
    for name in ["ConsumedWriteCapacityUnits", "WriteThrottleEvents"] :
    name => ["AWS/DynamoDB", name, "TableName", table]
  } }
}
