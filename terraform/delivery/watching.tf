# What rings, and what to do then; what the dashboard shows.

locals {
  metric = { for name in [
    "IncomingRecords", "IncomingBytes", "DataReadFromKinesisStream.Records", "DataReadFromKinesisStream.Bytes",
    "DeliveryToS3.Records", "DeliveryToS3.Bytes", "DeliveryToS3.DataFreshness", "DeliveryToS3.ObjectCount",
    "BackupToS3.DataFreshness", "PartitionCount", "KinesisMillisBehindLatest", "ThrottledRecords",
  ] : name => ["AWS/Firehose", name, "DeliveryStreamName", var.name] }

  read = var.source_stream == null ? "Incoming" : "DataReadFromKinesisStream."

  alarms = merge(
    {
      delivery-late = {
        metric      = local.metric["DeliveryToS3.DataFreshness"]
        limit       = var.delay_seconds_max
        description = "The oldest undelivered record is older than ${var.delay_seconds_max} s. Look at the function's errors first, then at the log group ${aws_cloudwatch_log_group.delivery.name}: a bucket, a key or a role that refuses. Nothing is lost for 24 hours."
      }
    },
    !var.backs_up_originals ? {} : {
      originals-late = {
        metric      = local.metric["BackupToS3.DataFreshness"]
        limit       = var.delay_seconds_max
        description = "The oldest original that is not backed up yet is older than ${var.delay_seconds_max} s${var.catalog == null ? "" : ", and Parquet keeps listed columns only"}. The log group ${aws_cloudwatch_log_group.delivery.name} says what refuses ${var.folders.originals}: the bucket, a key or the role. Nothing is lost for 24 hours."
      }
    },
    var.source_stream == null ? {} : {
      source-behind = {
        metric      = local.metric["KinesisMillisBehindLatest"]
        limit       = 900000
        description = "Firehose is 15 minutes behind the Kinesis stream. Look at the function's errors and throttles, and at other readers of the same shards. Records are lost when they are older than the source's retention."
      }
    },
    var.source_stream != null ? {} : {
      source-throttled = {
        metric      = local.metric["ThrottledRecords"]
        limit       = 0
        description = "Producers put more than the stream's quota takes, and were refused. See that they put refused records again; ask AWS for a higher quota, or put fewer, larger batches."
      }
    },
    var.processor == null ? {} : {
      partitions-near-quota = {
        metric      = local.metric["PartitionCount"]
        limit       = floor(var.active_partitions_quota * 0.8)
        description = "More than 80 % of ${var.active_partitions_quota} active partitions are in use; events beyond go to errors/. List event_types or narrow event_years to refuse made-up values, take a key out of partition_keys, shorten buffer_seconds, or ask AWS for a higher quota and set active_partitions_quota."
      }
    },
  )
}

output "alarms" {
  description = "What rings, by a metric as CloudWatch's graphs name it."
  value       = local.alarms
}

output "widgets" {
  description = "Its graphs for the dashboard."
  value = concat(
    [
      { title = "In and written", stat = "Sum", metrics = [local.metric["${local.read}Records"], local.metric["DeliveryToS3.Records"]] },
      { title = "Seconds until delivery", stat = "Maximum", metrics = [local.metric["DeliveryToS3.DataFreshness"]] },
      { title = "Cost: bytes in and written", stat = "Sum", metrics = [local.metric["${local.read}Bytes"], local.metric["DeliveryToS3.Bytes"]] },
      { title = "Cost: objects written", stat = "Sum", metrics = [local.metric["DeliveryToS3.ObjectCount"]] },
    ],
    var.processor == null ? [] : [
      { title = "Active partitions (quota ${var.active_partitions_quota})", stat = "Maximum", metrics = [local.metric["PartitionCount"]] },
    ],
  )
}
