# At a glance: in, delivered, duplicates, refused by reason, latency, what costs.

locals {
  firehose_metric = { for name in [
    "IncomingRecords", "IncomingBytes", "DataReadFromKinesisStream.Records", "DataReadFromKinesisStream.Bytes",
    "DeliveryToS3.Records", "DeliveryToS3.Bytes", "DeliveryToS3.DataFreshness", "DeliveryToS3.ObjectCount",
    "PartitionCount", "KinesisMillisBehindLatest",
  ] : name => ["AWS/Firehose", name, "DeliveryStreamName", local.stream_name] }

  nozzle_metric = { for name in [
    "records", "delivered", "duplicates", "duplicates_differing", "reclaimed", "refused", "overflow", "unclaimed",
    "claim_failures", "claim_milliseconds", "total_milliseconds", "request_bytes", "response_bytes",
  ] : name => ["Nozzle", name, "FunctionName", local.function_name] }

  lambda_metric = { for name in ["Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"] :
  name => ["AWS/Lambda", name, "FunctionName", local.function_name] }

  records_in = local.firehose_metric[local.reads_kinesis ? "DataReadFromKinesisStream.Records" : "IncomingRecords"]
  bytes_in   = local.firehose_metric[local.reads_kinesis ? "DataReadFromKinesisStream.Bytes" : "IncomingBytes"]

  stream_widgets = [
    {
      title   = "In and written"
      stat    = "Sum"
      metrics = [local.records_in, local.firehose_metric["DeliveryToS3.Records"]]
    },
    {
      title   = "Seconds until delivery"
      stat    = "Maximum"
      metrics = [local.firehose_metric["DeliveryToS3.DataFreshness"]]
    },
    {
      title   = "Cost: bytes in and written"
      stat    = "Sum"
      metrics = [local.bytes_in, local.firehose_metric["DeliveryToS3.Bytes"]]
    },
  ]

  function_widgets = [
    {
      title   = "What became of the records"
      stat    = "Sum"
      metrics = [for name in ["records", "delivered", "duplicates", "refused", "overflow"] : local.nozzle_metric[name]]
    },
    {
      title = "Refused, by reason"
      stat  = "Sum"
      metrics = [[{
        id         = "reasons"
        expression = "SEARCH('{Nozzle,FunctionName} FunctionName=\"${local.function_name}\" MetricName=refused NOT MetricName=\"refused\"', 'Sum', 300)"
      }]]
    },
    {
      title   = "Worth a look"
      stat    = "Sum"
      metrics = [for name in ["duplicates_differing", "reclaimed", "unclaimed", "claim_failures"] : local.nozzle_metric[name]]
    },
    {
      title   = "Milliseconds a batch, slowest"
      stat    = "Maximum"
      metrics = [for name in ["total_milliseconds", "claim_milliseconds"] : local.nozzle_metric[name]]
    },
    {
      title   = "Largest request and answer (6,291,556 bytes fit)"
      stat    = "Maximum"
      metrics = [for name in ["request_bytes", "response_bytes"] : local.nozzle_metric[name]]
    },
    {
      title   = "Calls of the function"
      stat    = "Sum"
      metrics = [for name in ["Invocations", "Errors", "Throttles"] : local.lambda_metric[name]]
    },
    {
      title   = "Active partitions (quota ${var.active_partitions_quota})"
      stat    = "Maximum"
      metrics = [local.firehose_metric["PartitionCount"]]
    },
    {
      title   = "Cost: objects written"
      stat    = "Sum"
      metrics = [local.firehose_metric["DeliveryToS3.ObjectCount"]]
    },
    {
      title   = "Cost: write units of the claim table"
      stat    = "Sum"
      metrics = [["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "${local.name}-claims"]]
    },
    {
      title   = "Cost: milliseconds of the function at ${var.function_memory_megabytes} MB"
      stat    = "Sum"
      metrics = [local.lambda_metric["Duration"]]
    },
  ]

  widgets = concat(local.stream_widgets, [for widget in local.function_widgets : widget if var.transform])
}

resource "aws_cloudwatch_dashboard" "chain" {
  dashboard_name = local.global_name

  # Three in a row.
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = index % 3 * 8
      y      = floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        stat    = widget.stat
        metrics = widget.metrics
        region  = var.region
        period  = 300
        view    = "timeSeries"
      }
    }]
  })
}
