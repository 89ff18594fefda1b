locals {
  # An event that this environment accepts. The second time it is put, it is a duplicate.
  sample_event = jsonencode({
    (var.event_fields[0]) = "11111111-1111-4111-8111-111111111111"
    (var.event_fields[1]) = length(var.event_types) > 0 ? var.event_types[0] : "account:created"
    (var.event_fields[2]) = "${split("-", var.event_years)[0]}-01-01T00:00:00Z"
  })
  puts_kinesis = local.reads_kinesis || !var.lake
  # Types and fields are any text; a shell must read them as they are.
  shell          = { for name, text in { data = local.puts_kinesis ? local.sample_event : jsonencode({ Data = local.sample_event }), types = join(",", var.event_types), fields = join(",", var.event_fields) } : name => "'${replace(text, "'", "'\\''")}'" }
  firehose_name  = one(module.delivery[*].stream.name)
  redrive_target = local.reads_kinesis ? "kinesis:${local.source_name}" : join("", formatlist("stream:%s", module.delivery[*].stream.name))
  source_name    = local.makes_kinesis ? one(aws_kinesis_stream.source[*].name) : element(split("/", var.kinesis_stream_arn), -1)
}

output "stream_name" {
  description = "The Firehose stream; null without a lake. With direct put, what producers call PutRecord with."
  value       = local.firehose_name
}

output "stream_arn" {
  description = "Its ARN, for the producers' permission firehose:PutRecordBatch; null without a lake."
  value       = one(module.delivery[*].stream.arn)
}

output "kinesis_stream_name" {
  description = "The Kinesis stream that producers put records into; null where there is none."
  value       = local.has_kinesis ? local.source_name : null
}

output "put_record_command" {
  description = "Puts one event in (`terraform output -raw put_record_command`). Put it twice to see a duplicate dropped. Null without a stream."
  value = !var.lake && !local.has_kinesis ? null : local.puts_kinesis ? join(" ", [
    "aws kinesis put-record --region ${var.region} --stream-name ${local.source_name}",
    "--cli-binary-format raw-in-base64-out --partition-key sample --data ${local.shell.data}",
    ]) : join(" ", [
    "aws firehose put-record --region ${var.region} --delivery-stream-name ${local.firehose_name}",
    "--cli-binary-format raw-in-base64-out --record ${local.shell.data}",
  ])
}

output "bucket" {
  description = "The lake's bucket."
  value       = module.lake_bucket.bucket.bucket
}

output "delivered_location" {
  description = "Where delivered objects are."
  value       = module.partitioning.location
}

output "error_location" {
  description = "Where error files are: JSON lines with the originals in `rawData`."
  value       = "s3://${module.lake_bucket.bucket.bucket}/${module.partitioning.error_folder}"
}

output "redrive_command" {
  description = "Shows what lies under errors/ and what would be sent again; with --execute behind it, sends it. For a shell: eval \"$(terraform output -raw redrive_command)\". Null without the function."
  value = !local.transforms ? null : join(" ", concat([
    "nozzle redrive s3://${module.lake_bucket.bucket.bucket}/${module.partitioning.error_folder}",
    "--to ${local.redrive_target} --table ${module.claims["lake"].table.name} --ttl-hours ${var.claim_hours}",
    "--event-identity ${var.event_identity} --event-years ${var.event_years} --partition-keys ${join(",", module.partitioning.keys)}",
    ],
    local.shell.fields == "'event_uuid,event_name,created_at'" ? [] : ["--event-fields ${local.shell.fields}"],
    length(var.event_types) > 0 ? ["--event-types ${local.shell.types}"] : [],
  ))
}

output "nozzle_toml" {
  description = "Settings for nozzle in the folder where it is called: terraform output -raw nozzle_toml > nozzle.toml. Null without the function."
  value = !local.transforms ? null : templatefile("${path.module}/nozzle.toml.tftpl", {
    identity = var.event_identity, fields = var.event_fields, years = var.event_years, types = var.event_types, hours = var.claim_hours
    keys     = module.partitioning.keys, prefix = module.partitioning.prefix, error_prefix = module.partitioning.error_prefix, to = local.redrive_target, table = module.claims["lake"].table.name, lake = "s3://${module.lake_bucket.bucket.bucket}/"
  })
}

output "originals_location" {
  description = "Where the backup of originals is; null without one."
  value       = local.backs_up_originals ? "s3://${module.lake_bucket.bucket.bucket}/${module.partitioning.originals_folder}" : null
}

output "claim_table" {
  description = "The claim table; null without a lake."
  value       = one([for name, claims in module.claims : claims.table.name if name == "lake"])
}

output "function_name" {
  description = "The function that Firehose calls; null without one."
  value       = one(module.transform[*].function.function_name)
}

output "event_log_table" {
  description = "The event log's table; null without one."
  value       = one(module.event_log[*].table.name)
}

output "dead_letter_location" {
  description = "Where the event log's dead letters are, each with its reason; null without one."
  value       = var.event_log ? "s3://${module.lake_bucket.bucket.bucket}/${local.dead_letter_folder}" : null
}

output "dead_letter_queue" {
  description = "The queue that has them too, by its address; null without one."
  value       = one(module.event_log[*].reader.dead_letters.url)
}

output "counter_table" {
  description = "The event processor's table of counters; null without one."
  value       = one(module.event_processor[*].table.name)
}

output "archive_location" {
  description = "Where its archive is; null without one."
  value       = one(module.event_processor[*].archive.storage_descriptor[0].location)
}

output "archive_table" {
  description = "Athena's table over the archive, with its database; null without one."
  value       = var.event_processor ? "${local.database_name}.${module.event_processor[0].archive.name}" : null
}

output "processor_dead_letter_location" {
  description = "Where the event processor's dead letters are, each with its reason; null without one."
  value       = var.event_processor ? "s3://${module.lake_bucket.bucket.bucket}/${local.processor_dead_letter_folder}" : null
}

output "processor_dead_letter_queue" {
  description = "The queue that has them too, by its address; null without one."
  value       = one(module.event_processor[*].reader.dead_letters.url)
}

output "star_schema_command" {
  description = "Has one packet loaded, as an ingestion does when it has written one; null without a star."
  value = !var.star_schema ? null : join(" ", [
    "aws lambda invoke --region ${var.region} --function-name ${module.star_schema[0].function.alias.arn} --invocation-type Event",
    "--cli-binary-format raw-in-base64-out --payload '{\"packets\": [{\"table\": \"sales_order\", \"id\": 3}]}' /dev/stdout",
  ])
}

output "star_schema_buckets" {
  description = "The bucket that packets come into and the one that has the star's files; null without a star."
  value       = var.star_schema ? { for use, bucket in local.star_buckets : use => bucket.name } : null
}

output "star_schema_database" {
  description = "The database that has the star's tables and views in Athena; null without a star."
  value       = one(module.star_schema[*].database.name)
}

output "athena_workgroup" {
  description = "The workgroup that has the named queries; null where there is no table."
  value       = one(aws_athena_workgroup.lake[*].name)
}

output "athena_table" {
  description = "Athena's table over the lake, with its database; null without a lake."
  value       = var.lake ? "${local.database_name}.${module.partitioning.layout}" : null
}

output "keys_to_give" {
  description = "Partition keys that each query must give with `=`."
  value       = module.partitioning.keys_to_give
}

output "alarm_topic" {
  description = "ARN of the topic that every alarm goes to."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard" {
  description = "Address of the dashboard."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.chain.dashboard_name}"
}
