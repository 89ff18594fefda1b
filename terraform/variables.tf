# One heading a concern, in the order a reader meets them. Only `environment` and `region` must be given.

variable "environment" {
  type        = string
  description = "Name of the environment. It is part of every name, and the workspace must be called the same."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment is `${var.environment}`: it takes 2 to 12 lower-case letters and digits, a letter first, such as `dev`."
  }
  # A validation, not a precondition: it holds on destroy too.
  validation {
    condition     = terraform.workspace == var.environment
    error_message = "environment is `${var.environment}` but the workspace is `${terraform.workspace}`: select the workspace of that name, or `make plan ENV=${var.environment}`, which does."
  }
}

variable "region" {
  type        = string
  description = "AWS region of the whole chain, such as `eu-central-1`."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is `${var.region}`: it must be the code of an AWS region, such as `eu-central-1`."
  }
}

variable "project" {
  type        = string
  description = "First part of every name, so that several chains can share an account."
  default     = "nozzle"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.project))
    error_message = "project is `${var.project}`: it takes 2 to 16 lower-case letters, digits and hyphens, a letter first, no hyphen last."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags on everything, beside project, environment and managed_by."
  default     = {}
  nullable    = false
  validation {
    condition     = length(distinct([for key in concat(keys(var.tags), ["project", "environment", "managed_by"]) : lower(key)])) == length(var.tags) + 3
    error_message = "tags are `${join("`, `", keys(var.tags))}`: IAM takes no two keys that differ in case only, and project, environment and managed_by are set already. Rename or leave out what clashes."
  }
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the IAM policy that bounds every role made here; empty for none."
  default     = ""
  nullable    = false
  validation {
    condition     = var.permissions_boundary == "" || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is `${var.permissions_boundary}`: it must be the ARN of an IAM policy, such as `arn:aws:iam::123456789012:policy/boundary`."
  }
}

# What there is

variable "lake" {
  type        = bool
  description = "Whether events are delivered into the lake: Firehose, its function, the claim table, Athena's table."
  default     = true
  nullable    = false
  validation {
    condition     = var.lake || var.event_log || var.event_processor || var.star_schema
    error_message = "lake, event_log, event_processor and star_schema are all false: nothing would be done."
  }
}

variable "event_log" {
  type        = bool
  description = "Whether the events of a Kinesis stream are put into a table in which each can be looked up. The stream is that of stream_source = `kinesis`, or the one kinesis_stream_arn names, or one of its own."
  default     = false
  nullable    = false
}

variable "event_processor" {
  type        = bool
  description = "Whether the events of a Kinesis stream are counted by hour, day and variant, with their users, and archived, each once. The stream is the event log's."
  default     = false
  nullable    = false
}

variable "star_schema" {
  type        = bool
  description = "Whether packets of tables' new rows are made into the Parquet tables of a star."
  default     = false
  nullable    = false
}

# Events

variable "transform" {
  type        = bool
  description = "Whether events are checked, enriched, deduplicated and partitioned by the function. Without it the stream writes what comes, by arrival time, a newline after each. A change makes a new stream."
  default     = true
  nullable    = false
}

variable "partition_keys" {
  type        = list(string)
  description = "The partition keys in the prefix's order, out of event_type, event_subtype, year, month, day and hour. A change makes a new stream, and hides older objects from the table: they stay where they are, but it looks for the new keys' folders only."
  default     = ["event_type", "event_subtype", "year", "month", "day"]
  nullable    = false
  validation {
    condition     = length(setsubtract(var.partition_keys, ["event_type", "event_subtype", "year", "month", "day", "hour"])) == 0
    error_message = "partition_keys has `${join(", ", setsubtract(var.partition_keys, ["event_type", "event_subtype", "year", "month", "day", "hour"]))}`, which the function does not know: it knows event_type, event_subtype, year, month, day and hour."
  }
  validation {
    condition     = length(var.partition_keys) > 0 && length(distinct(var.partition_keys)) == length(var.partition_keys)
    error_message = "partition_keys must name at least one key, and each once."
  }
}

variable "event_fields" {
  type        = list(string)
  description = "The fields that an event has its uuid, its name and its time in, in this order. A name that stands in a field that is added, such as `event_type`, is replaced by it, and the whole of it added as event_name."
  default     = ["event_uuid", "event_name", "created_at"]
  nullable    = false
  validation {
    condition     = length(var.event_fields) == 3 && length(distinct(var.event_fields)) == 3 && alltrue([for field in var.event_fields : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", field))])
    error_message = "event_fields is `${join("`, `", var.event_fields)}`: it must be three different fields, the uuid's, the name's and the time's, each a name that a column can have: letters, digits and underscores, no digit first."
  }
  validation {
    condition     = !contains(["event_type", "event_subtype", "created_datetime"], try(var.event_fields[0], "")) && !contains(["event_type", "event_subtype"], try(var.event_fields[2], ""))
    error_message = "event_fields has the uuid or the time in a field that is replaced, so it would be lost: only the name may stand in event_type, event_subtype or created_datetime, and the time in created_datetime."
  }
  validation {
    condition     = !contains(["event_type", "event_subtype", "created_datetime"], try(var.event_fields[1], "")) || !contains([try(var.event_fields[0], ""), try(var.event_fields[2], "")], "event_name")
    error_message = "event_fields has the name in a field that is replaced, so it is added as event_name: the uuid and the time cannot stand there."
  }
}

variable "event_years" {
  type        = string
  description = "First and last year of `created_at` that is accepted, such as `2020-2039`. Events outside are refused, so a device with a bad clock cannot use up partitions, and Athena looks into these years only."
  default     = "2000-2099"
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{4}$", var.event_years)) && try(1970 <= tonumber(split("-", var.event_years)[0]) && tonumber(split("-", var.event_years)[0]) <= tonumber(split("-", var.event_years)[1]), false)
    error_message = "event_years is `${var.event_years}`: it must be two years from 1970 to 9999, the earlier first, such as `2020-2039`."
  }
}

variable "event_types" {
  type        = list(string)
  description = "The event types accepted, such as `account:created`, or `login` for a type with any subtype. Empty accepts any, and then queries must give type and subtype with `=`."
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for type in var.event_types : can(regex("^[^:,\\s]([^:,]*[^:,\\s])?(:[^:,\\s]([^:,]*[^:,\\s])?)?$", type))])
    error_message = "event_types takes a type, or a type and a subtype with a colon between them, without commas and without white space at either end, such as `account:created`."
  }
  validation {
    condition     = length(distinct(var.event_types)) == length(var.event_types)
    error_message = "event_types names a type twice."
  }
  validation {
    condition     = length(base64encode(join(",", var.event_types))) <= 4000 # four characters for three bytes
    error_message = "event_types has more than 3,000 bytes: Lambda's whole environment holds 4 KB. Leave it empty, or list types without their subtypes."
  }
}

variable "event_columns" {
  type        = map(string)
  description = "Columns of the events' own fields, name to Hive type, such as `{ amount = \"double\" }`. They join those every event has (those of event_fields, created_datetime), whose types they may set. Parquet needs them: it keeps listed columns only."
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for name, type in var.event_columns : can(regex("^[a-z_][a-z0-9_]*$", name))])
    error_message = "event_columns has a name that Athena does not take: only lower-case letters, digits and underscores, no digit first."
  }
  validation {
    condition     = length(setintersection(keys(var.event_columns), var.transform ? var.partition_keys : ["arrival_date"])) == 0
    error_message = "event_columns has `${join(", ", setintersection(keys(var.event_columns), var.transform ? var.partition_keys : ["arrival_date"]))}`, which is a partition key: the table has that column already."
  }
  validation {
    condition     = alltrue([for name, type in var.event_columns : can(regex("^(string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|binary|decimal\\([0-9]+,[0-9]+\\)|(array|map|struct)<.+>)$", type))])
    error_message = "event_columns has a type that Athena does not know: string, boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s), date, timestamp, binary, array<…>, map<…> and struct<…> are known, in lower case and without spaces around them."
  }
  validation {
    condition     = var.format != "parquet" || length(var.event_columns) > 0
    error_message = "event_columns is empty: Parquet keeps listed columns only, so list the fields that events carry."
  }
}

variable "event_identity" {
  type        = string
  description = "What makes two events the same: `event` (uuid, name and time) or `uuid` alone."
  default     = "event"
  nullable    = false
  validation {
    condition     = contains(["event", "uuid"], var.event_identity)
    error_message = "event_identity is `${var.event_identity}`: it must be `event` or `uuid`."
  }
}

variable "claim_hours" {
  type        = number
  description = "How long an event is remembered, in hours: a copy that comes later is delivered again."
  default     = 24
  nullable    = false
  validation {
    condition     = var.claim_hours >= 1 && var.claim_hours <= 8760 && floor(var.claim_hours) == var.claim_hours
    error_message = "claim_hours is ${var.claim_hours}: it must be a whole number from 1 to 8760 (one year)."
  }
}

variable "claim_capacity" {
  type        = string
  description = "How the claim tables' writes are paid: `on-demand`, each at its price and at any rate, or `auto`, by units that are provisioned and follow the load within claim_write_units. docs/deploy.md says which is cheaper when. A change keeps the claims."
  default     = "on-demand"
  nullable    = false
  validation {
    condition     = contains(["on-demand", "auto"], var.claim_capacity)
    error_message = "claim_capacity is `${var.claim_capacity}`: it must be `on-demand` or `auto`."
  }
}

variable "claim_write_units" {
  type        = object({ minimum = number, maximum = number, used_percent = optional(number, 70) })
  description = "With claim_capacity = `auto`: the fewest and the most write units a claim table is given, and how much of them is to be used. `nozzle plan` says which; a write beyond them waits, and is late."
  default     = { minimum = 50, maximum = 4000 }
  nullable    = false
  validation {
    condition     = 1 <= var.claim_write_units.minimum && var.claim_write_units.minimum < var.claim_write_units.maximum && floor(var.claim_write_units.minimum) == var.claim_write_units.minimum && floor(var.claim_write_units.maximum) == var.claim_write_units.maximum
    error_message = "claim_write_units is from ${var.claim_write_units.minimum} to ${var.claim_write_units.maximum}: it must be two whole numbers from 1, the minimum below the maximum."
  }
  validation {
    condition     = 20 <= var.claim_write_units.used_percent && var.claim_write_units.used_percent <= 90
    error_message = "claim_write_units is to be used by ${var.claim_write_units.used_percent} %: DynamoDB takes 20 to 90."
  }
}

variable "claim_floors" {
  type        = map(object({ schedule = string, minimum = number, time_zone = optional(string, "UTC") }))
  description = "With claim_capacity = `auto`: minimums by the clock, for peaks that are known before they come. Each holds until the next, so there are two at least, such as `{ morning = { schedule = \"cron(45 7 ? * * *)\", minimum = 2000 }, night = { schedule = \"cron(0 20 ? * * *)\", minimum = 50 } }`."
  default     = {}
  nullable    = false
  validation {
    condition     = length(var.claim_floors) != 1 && alltrue([for floor in values(var.claim_floors) : can(regex("^cron\\(.+\\)$", floor.schedule)) && 1 <= floor.minimum && floor.minimum <= var.claim_write_units.maximum])
    error_message = "claim_floors are `${join("`, `", keys(var.claim_floors))}`: there must be none or two at least, each with a schedule such as `cron(45 7 ? * * *)` and a minimum from 1 to the maximum of claim_write_units."
  }
}

variable "on_claim_failure" {
  type        = string
  description = "What the function does while the claim table cannot answer: `retry` (Firehose retries, and in the end keeps the originals under the error prefix) or `deliver` (unclaimed, perhaps doubled)."
  default     = "retry"
  nullable    = false
  validation {
    condition     = contains(["retry", "deliver"], var.on_claim_failure)
    error_message = "on_claim_failure is `${var.on_claim_failure}`: it must be `retry` or `deliver`."
  }
}

variable "on_differing_duplicate" {
  type        = string
  description = "What becomes of a duplicate whose bytes differ from the first: `drop`, or `fail` to keep it under the error prefix."
  default     = "drop"
  nullable    = false
  validation {
    condition     = contains(["drop", "fail"], var.on_differing_duplicate)
    error_message = "on_differing_duplicate is `${var.on_differing_duplicate}`: it must be `drop` or `fail`."
  }
}

# Stream

variable "stream_source" {
  type        = string
  description = "Where the stream reads: `direct-put` (producers call PutRecord) or `kinesis` (a stream this configuration makes, or the one kinesis_stream_arn names). Without a lake it does not matter. A change makes a new stream, and a new stream on Kinesis starts at the latest record."
  default     = "direct-put"
  nullable    = false
  validation {
    condition     = contains(["direct-put", "kinesis"], var.stream_source)
    error_message = "stream_source is `${var.stream_source}`: it must be `direct-put` or `kinesis`."
  }
}

variable "kinesis_stream_arn" {
  type        = string
  description = "ARN of an existing Kinesis stream to read; empty to have one made where stream_source is `kinesis` or there is an event log or an event processor."
  default     = ""
  nullable    = false
  validation {
    condition     = var.kinesis_stream_arn == "" || can(regex("^arn:aws[a-z-]*:kinesis:${var.region}:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", var.kinesis_stream_arn))
    error_message = "kinesis_stream_arn is `${var.kinesis_stream_arn}`: it must be the ARN of a Kinesis stream in region, such as `arn:aws:kinesis:${var.region}:123456789012:stream/events`."
  }
  validation {
    condition     = var.kinesis_stream_arn == "" || (var.lake && var.stream_source == "kinesis") || var.event_log || var.event_processor
    error_message = "kinesis_stream_arn is given but nothing reads it, since stream_source is `${var.stream_source}` and there is neither event log nor event processor: set stream_source to `kinesis`, or event_log or event_processor to true."
  }
}

variable "kinesis_kms_key_arn" {
  type        = string
  description = "ARN of the customer key that encrypts the stream kinesis_stream_arn names; empty where it has none."
  default     = ""
  nullable    = false
  validation {
    condition     = var.kinesis_kms_key_arn == "" || can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/.+$", var.kinesis_kms_key_arn))
    error_message = "kinesis_kms_key_arn is `${var.kinesis_kms_key_arn}`: it must be the ARN of a KMS key (not of an alias) in region."
  }
}

variable "kinesis_retention_hours" {
  type        = number
  description = "How long the Kinesis stream that is made keeps its records, in hours. Beyond 24 it costs more."
  default     = 24
  nullable    = false
  validation {
    condition     = var.kinesis_retention_hours >= 24 && var.kinesis_retention_hours <= 8760 && floor(var.kinesis_retention_hours) == var.kinesis_retention_hours
    error_message = "kinesis_retention_hours is ${var.kinesis_retention_hours}: Kinesis takes a whole number from 24 to 8760."
  }
}

variable "format" {
  type        = string
  description = "What the lake's objects are: `json` (lines, gzip) or `parquet` (listed columns only, which is why originals are then always backed up)."
  default     = "json"
  nullable    = false
  validation {
    condition     = contains(["json", "parquet"], var.format)
    error_message = "format is `${var.format}`: it must be `json` or `parquet`."
  }
}

variable "originals_backup" {
  type        = bool
  description = "Whether every record is also kept as it came, under `originals/`. Always so with Parquet. AWS can turn it on under a running stream but not off: to turn it off, raise stream_revision too."
  default     = false
  nullable    = false
}

variable "buffer_megabytes" {
  type        = number
  description = "Firehose writes an object when a partition has this much."
  default     = 64
  nullable    = false
  validation {
    condition     = var.buffer_megabytes <= 128 && var.buffer_megabytes >= (var.transform || var.format == "parquet" ? 64 : 1) && floor(var.buffer_megabytes) == var.buffer_megabytes
    error_message = "buffer_megabytes is ${var.buffer_megabytes}: Firehose takes a whole number from 64 to 128, or from 1 with transform = false and JSON."
  }
}

variable "buffer_seconds" {
  type        = number
  description = "Firehose writes an object at the latest after this long. Longer makes fewer, larger objects, and more active partitions."
  default     = 300
  nullable    = false
  validation {
    condition     = var.buffer_seconds <= 900 && var.buffer_seconds >= (var.transform || var.format == "parquet" ? 60 : 0) && floor(var.buffer_seconds) == var.buffer_seconds
    error_message = "buffer_seconds is ${var.buffer_seconds}: Firehose takes a whole number from 60 to 900, or from 0 with transform = false and JSON."
  }
}

variable "transform_buffer_megabytes" {
  type        = number
  description = "Firehose calls the function when it has this much. At 0.5 the answer to the smallest events still fits; a larger one may send some of them to the error prefix."
  default     = 0.5
  nullable    = false
  validation {
    condition     = var.transform_buffer_megabytes >= 0.2 && var.transform_buffer_megabytes <= 3 && var.transform_buffer_megabytes != 1
    error_message = "transform_buffer_megabytes is ${var.transform_buffer_megabytes}: Firehose takes 0.2 to 3, and 1 (its own default, which it does not store) would show as a change in every plan."
  }
}

variable "transform_buffer_seconds" {
  type        = number
  description = "Firehose calls the function at the latest after this long."
  default     = 30
  nullable    = false
  validation {
    condition     = var.transform_buffer_seconds >= 0 && var.transform_buffer_seconds <= 900 && var.transform_buffer_seconds != 60 && floor(var.transform_buffer_seconds) == var.transform_buffer_seconds
    error_message = "transform_buffer_seconds is ${var.transform_buffer_seconds}: Firehose takes a whole number from 0 to 900, and 60 (its own default, which it does not store) would show as a change in every plan."
  }
}

variable "transform_retries" {
  type        = number
  description = "How often Firehose calls the function again with a batch it failed on, before the batch goes to the error prefix. With a table that is away each call takes up to 240 s, so 8 sit out about half an hour."
  default     = 8
  nullable    = false
  validation {
    condition     = var.transform_retries >= 0 && var.transform_retries <= 300 && floor(var.transform_retries) == var.transform_retries
    error_message = "transform_retries is ${var.transform_retries}: Firehose takes a whole number from 0 to 300."
  }
}

variable "stream_revision" {
  type        = number
  description = "Raise it to have a new stream made without any other change."
  default     = 1
  nullable    = false
  validation {
    condition     = var.stream_revision >= 1 && floor(var.stream_revision) == var.stream_revision
    error_message = "stream_revision is ${var.stream_revision}: it must be a whole number from 1."
  }
}

# Function

variable "function_zip" {
  type        = string
  description = "The function's zip, as `make build` leaves it; a relative path starts at this folder."
  default     = "../target/lambda/firehose-transform/bootstrap.zip"
  nullable    = false
}

variable "function_memory_megabytes" {
  type        = number
  description = "The function's memory. Lambda gives it processor time in proportion."
  default     = 512
  nullable    = false
  validation {
    condition     = var.function_memory_megabytes >= 128 && var.function_memory_megabytes <= 10240 && floor(var.function_memory_megabytes) == var.function_memory_megabytes
    error_message = "function_memory_megabytes is ${var.function_memory_megabytes}: Lambda takes a whole number from 128 to 10240."
  }
}

variable "function_reserved_concurrency" {
  type        = number
  description = "How many batches may be in the function at once; -1 for no limit of its own. Mind: Firehose does not wait for a free place. A burst beyond the limit counts as failed calls, and after its retries ends under errors/."
  default     = -1
  nullable    = false
  validation {
    condition     = (var.function_reserved_concurrency == -1 || var.function_reserved_concurrency >= 1) && floor(var.function_reserved_concurrency) == var.function_reserved_concurrency
    error_message = "function_reserved_concurrency is ${var.function_reserved_concurrency}: it must be -1 (no limit) or a whole number from 1; 0 would turn the function off."
  }
}

variable "function_log_level" {
  type        = string
  description = "The function's log level. Its line of counts, from which the metrics come, is written at any level."
  default     = "INFO"
  nullable    = false
  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.function_log_level)
    error_message = "function_log_level is `${var.function_log_level}`: Lambda takes TRACE, DEBUG, INFO, WARN, ERROR or FATAL."
  }
}

variable "log_retention_days" {
  type        = number
  description = "How long the logs of the function and of Firehose are kept."
  default     = 30
  nullable    = false
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

# Event log

variable "event_log_id" {
  type        = string
  description = "What an item's `eventId` is: `record` (shard and sequence number), or the JSON pointer to it in the event, such as `/event_uuid`. The first copy of an event stays."
  default     = "record"
  nullable    = false
  validation {
    condition     = var.event_log_id == "record" || can(regex("^(/([^~/]|~[01])*)+$", var.event_log_id))
    error_message = "event_log_id is `${var.event_log_id}`: it must be `record` or a JSON pointer, such as `/event_uuid`."
  }
}

variable "event_log_on_conflict" {
  type        = string
  description = "What becomes of an event whose id another event has: `keep-first` (it becomes a dead letter) or `keep-both` (under an id with its hash behind it)."
  default     = "keep-first"
  nullable    = false
  validation {
    condition     = contains(["keep-first", "keep-both"], var.event_log_on_conflict)
    error_message = "event_log_on_conflict is `${var.event_log_on_conflict}`: it must be `keep-first` or `keep-both`."
  }
}

variable "event_log_search_key" {
  type        = string
  description = "JSON pointer to a value by which events are found too, in the order of their arrival, such as `/sensor`; empty for no index."
  default     = ""
  nullable    = false
  validation {
    condition     = var.event_log_search_key == "" || can(regex("^(/([^~/]|~[01])*)+$", var.event_log_search_key))
    error_message = "event_log_search_key is `${var.event_log_search_key}`: it must be a JSON pointer, such as `/sensor`, or empty."
  }
}

variable "event_log_search_buckets" {
  type        = number
  description = "Over how many keys of the index one search key's events are spread: each takes 1,000 a second, and a search asks each."
  default     = 1
  nullable    = false
  validation {
    condition     = var.event_log_search_buckets >= 1 && var.event_log_search_buckets <= 1000 && floor(var.event_log_search_buckets) == var.event_log_search_buckets
    error_message = "event_log_search_buckets is ${var.event_log_search_buckets}: it must be a whole number from 1 to 1000."
  }
}

variable "event_log_data" {
  type        = string
  description = "How an item has its event: `map` (as DynamoDB's own maps, lists and numbers) or `text` (byte for byte)."
  default     = "map"
  nullable    = false
  validation {
    condition     = contains(["map", "text"], var.event_log_data)
    error_message = "event_log_data is `${var.event_log_data}`: it must be `map` or `text`."
  }
}

variable "event_log_on_unreadable" {
  type        = string
  description = "What becomes of bytes that are not JSON: `store` (as bytes, with the reason) or `dead-letter`."
  default     = "store"
  nullable    = false
  validation {
    condition     = contains(["store", "dead-letter"], var.event_log_on_unreadable)
    error_message = "event_log_on_unreadable is `${var.event_log_on_unreadable}`: it must be `store` or `dead-letter`."
  }
}

variable "event_log_ttl_hours" {
  type        = number
  description = "Hours after an event's arrival in which its item expires; 0 for never."
  default     = 0
  nullable    = false
  validation {
    condition     = var.event_log_ttl_hours >= 0 && var.event_log_ttl_hours <= 876000 && floor(var.event_log_ttl_hours) == var.event_log_ttl_hours
    error_message = "event_log_ttl_hours is ${var.event_log_ttl_hours}: it must be a whole number from 1 to 876000 (a hundred years), or 0 for never."
  }
}

variable "event_log_parallelization_factor" {
  type        = number
  description = "How many batches of one shard are worked on at once. Any is right: an item does not depend on the order."
  default     = 1
  nullable    = false
  validation {
    condition     = var.event_log_parallelization_factor >= 1 && var.event_log_parallelization_factor <= 10 && floor(var.event_log_parallelization_factor) == var.event_log_parallelization_factor
    error_message = "event_log_parallelization_factor is ${var.event_log_parallelization_factor}: Lambda takes a whole number from 1 to 10."
  }
}

variable "event_log_zip" {
  type        = string
  description = "The zip of the event log's function, as `make build` leaves it; a relative path starts at this folder."
  default     = "../target/lambda/event-log/bootstrap.zip"
  nullable    = false
}

variable "event_log_memory_megabytes" {
  type        = number
  description = "The memory of the event log's function. Lambda gives it processor time in proportion."
  default     = 256
  nullable    = false
  validation {
    condition     = var.event_log_memory_megabytes >= 128 && var.event_log_memory_megabytes <= 10240 && floor(var.event_log_memory_megabytes) == var.event_log_memory_megabytes
    error_message = "event_log_memory_megabytes is ${var.event_log_memory_megabytes}: Lambda takes a whole number from 128 to 10240."
  }
}

# Event processor

variable "event_processor_stream_arns" {
  type        = list(string)
  description = "ARNs of further Kinesis streams that are counted into the same table. Where they have a key of their own, it is kinesis_kms_key_arn."
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for arn in var.event_processor_stream_arns : can(regex("^arn:aws[a-z-]*:kinesis:${var.region}:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", arn))])
    error_message = "event_processor_stream_arns takes ARNs of Kinesis streams in region, such as `arn:aws:kinesis:${var.region}:123456789012:stream/events`."
  }
  validation {
    condition     = length(distinct(concat(var.event_processor_stream_arns, [local.source_arn]))) == length(var.event_processor_stream_arns) + 1
    error_message = "event_processor_stream_arns names a stream that is read already: with two mappings of one stream into one table, what one has counted hides what the other has not, and is lost."
  }
}

variable "event_processor_parallelization_factor" {
  type        = number
  description = "How many batches of one shard are counted at once: 1, and nothing else is right. A counter remembers how far it is in a shard, so a batch that overtakes another makes the other's events look counted."
  default     = 1
  nullable    = false
  validation {
    condition     = var.event_processor_parallelization_factor == 1
    error_message = "event_processor_parallelization_factor is ${var.event_processor_parallelization_factor}: it must be 1, since counters take a shard's records in their order, and would lose those that are overtaken. For more throughput let the stream have more shards."
  }
}

variable "event_processor_batch_seconds" {
  type        = number
  description = "How long a batch is gathered. Longer makes fewer writes: each batch adds to each of its counters once."
  default     = 10
  nullable    = false
  validation {
    condition     = var.event_processor_batch_seconds >= 1 && var.event_processor_batch_seconds <= 300 && floor(var.event_processor_batch_seconds) == var.event_processor_batch_seconds
    error_message = "event_processor_batch_seconds is ${var.event_processor_batch_seconds}: with batches of more than ten Lambda takes a whole number from 1 to 300."
  }
}

variable "event_processor_windows" {
  type        = list(string)
  description = "Which windows are counted: `hour`, `day`, or both."
  default     = ["hour", "day"]
  nullable    = false
  validation {
    condition     = length(var.event_processor_windows) > 0 && length(setsubtract(var.event_processor_windows, ["hour", "day"])) == 0 && length(distinct(var.event_processor_windows)) == length(var.event_processor_windows)
    error_message = "event_processor_windows is `${join("`, `", var.event_processor_windows)}`: it takes `hour`, `day`, or both, each once."
  }
}

variable "event_processor_unique_users" {
  type        = string
  description = "How the users of a counter are counted: `sketch` (about 1.7 % off beyond 96), `exact` (an item a user and window) or `off`."
  default     = "sketch"
  nullable    = false
  validation {
    condition     = contains(["sketch", "exact", "off"], var.event_processor_unique_users)
    error_message = "event_processor_unique_users is `${var.event_processor_unique_users}`: it must be `sketch`, `exact` or `off`."
  }
}

variable "event_processor_counter_slots" {
  type        = number
  description = "Over how many items each counter is spread, by shard: one takes 1,000 batches a second, and holds about 30 shards in one write unit."
  default     = 1
  nullable    = false
  validation {
    condition     = var.event_processor_counter_slots >= 1 && var.event_processor_counter_slots <= 10000 && floor(var.event_processor_counter_slots) == var.event_processor_counter_slots
    error_message = "event_processor_counter_slots is ${var.event_processor_counter_slots}: it must be a whole number from 1 to 10000."
  }
}

variable "event_processor_counter_ttl_days" {
  type        = number
  description = "Days after its window's end in which a counter expires; 0 for never."
  default     = 0
  nullable    = false
  validation {
    condition     = var.event_processor_counter_ttl_days >= 0 && var.event_processor_counter_ttl_days <= 36500 && floor(var.event_processor_counter_ttl_days) == var.event_processor_counter_ttl_days
    error_message = "event_processor_counter_ttl_days is ${var.event_processor_counter_ttl_days}: it must be a whole number from 1 to 36500 (a hundred years), or 0 for never."
  }
}

variable "event_processor_claims" {
  type        = string
  description = "Where copies that a producer sent twice are looked for: in a claim table of its `own`, in the lake's (`shared`), or nowhere (`none`). A claim costs a write unit an event, more than all counters. It is kept as long as the streams keep their records, and claim_hours at least."
  default     = "own"
  nullable    = false
  validation {
    condition     = contains(["own", "shared", "none"], var.event_processor_claims)
    error_message = "event_processor_claims is `${var.event_processor_claims}`: it must be `own`, `shared` or `none`."
  }
  validation {
    condition     = var.event_processor_claims != "shared" || var.lake
    error_message = "event_processor_claims is `shared`, but without a lake there is no table to share: set it to `own`."
  }
  validation {
    condition     = var.event_processor_claims != "shared" || var.event_identity != "uuid"
    error_message = "event_processor_claims is `shared`, but with event_identity `uuid` the lake's claims look the same: each function would take what the other has claimed for duplicates, and drop it. Set it to `own`."
  }
}

variable "event_processor_assignments_table" {
  type        = string
  description = "The DynamoDB table in which a user's variant is looked up where an event does not name it; empty for none."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]{3,255})?$", var.event_processor_assignments_table))
    error_message = "event_processor_assignments_table is `${var.event_processor_assignments_table}`: it must be a table's name, not its ARN, or empty."
  }
}

variable "event_processor_assignments_lookup" {
  type        = string
  description = "How an assignment is found: `key:` and the table's two keys, user and experiment; or `index:` and the name of an index with the keys user_id and experiment_id."
  default     = "key:user_id,experiment_id"
  nullable    = false
  validation {
    condition     = can(regex("^(key:[A-Za-z0-9_.-]{1,255},[A-Za-z0-9_.-]{1,255}|index:[A-Za-z0-9_.-]{3,255})$", var.event_processor_assignments_lookup))
    error_message = "event_processor_assignments_lookup is `${var.event_processor_assignments_lookup}`: it must be such as `key:user_id,experiment_id` or `index:by-user`."
  }
}

variable "event_processor_assignment_fields" {
  type        = list(string)
  description = "The attributes of an assignment: its id, its variant and its time, in this order."
  default     = ["assignment_id", "variant", "timestamp"]
  nullable    = false
  validation {
    condition     = length(var.event_processor_assignment_fields) == 3 && alltrue([for name in var.event_processor_assignment_fields : can(regex("^[A-Za-z0-9_.-]{1,255}$", name))])
    error_message = "event_processor_assignment_fields is `${join("`, `", var.event_processor_assignment_fields)}`: it takes three attributes, of 1 to 255 of A-Z a-z 0-9 _ - . each."
  }
}

variable "event_processor_experiments_table" {
  type        = string
  description = "The DynamoDB table that has an experiment's key, name and status; empty for none."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]{3,255})?$", var.event_processor_experiments_table))
    error_message = "event_processor_experiments_table is `${var.event_processor_experiments_table}`: it must be a table's name, not its ARN, or empty."
  }
}

variable "event_processor_experiment_key" {
  type        = string
  description = "The key of that table, whose value is an event's `experiment_id`."
  default     = "key"
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,255}$", var.event_processor_experiment_key))
    error_message = "event_processor_experiment_key is `${var.event_processor_experiment_key}`: it takes 1 to 255 of A-Z a-z 0-9 _ - ."
  }
}

variable "event_processor_lookup_kms_key_arns" {
  type        = list(string)
  description = "ARNs of the customer keys that encrypt the tables of assignments and experiments; empty where they have none."
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for arn in var.event_processor_lookup_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/.+$", arn))])
    error_message = "event_processor_lookup_kms_key_arns takes ARNs of KMS keys (not of aliases) in region."
  }
}

variable "event_processor_on_enrichment_failure" {
  type        = string
  description = "What becomes of events while these tables cannot answer: `retry` (they wait) or `keep` (they are archived with `enrichment_error`, and never counted)."
  default     = "retry"
  nullable    = false
  validation {
    condition     = contains(["retry", "keep"], var.event_processor_on_enrichment_failure)
    error_message = "event_processor_on_enrichment_failure is `${var.event_processor_on_enrichment_failure}`: it must be `retry` or `keep`."
  }
}

variable "event_processor_archive_expiration_days" {
  type        = number
  description = "Days after which archived events are deleted; 0 for never. They move to Intelligent-Tiering as the lake's objects do."
  default     = 0
  nullable    = false
  validation {
    condition     = floor(var.event_processor_archive_expiration_days) == var.event_processor_archive_expiration_days && (var.event_processor_archive_expiration_days == 0 || var.event_processor_archive_expiration_days > var.lake_archive_days)
    error_message = "event_processor_archive_expiration_days is ${var.event_processor_archive_expiration_days}: it must be a whole number of days beyond lake_archive_days, or 0 for never."
  }
}

variable "event_processor_zip" {
  type        = string
  description = "The zip of the event processor's function, as `make build` leaves it; a relative path starts at this folder."
  default     = "../target/lambda/event-processor/bootstrap.zip"
  nullable    = false
}

variable "event_processor_memory_megabytes" {
  type        = number
  description = "The memory of the event processor's function. Lambda gives it processor time in proportion."
  default     = 512
  nullable    = false
  validation {
    condition     = var.event_processor_memory_megabytes >= 128 && var.event_processor_memory_megabytes <= 10240 && floor(var.event_processor_memory_megabytes) == var.event_processor_memory_megabytes
    error_message = "event_processor_memory_megabytes is ${var.event_processor_memory_megabytes}: Lambda takes a whole number from 128 to 10240."
  }
}

# Star schema

variable "star_schema_buckets" {
  type        = object({ ingestion = optional(string, ""), processed = optional(string, "") })
  description = "The buckets that packets come into and that the star's files go into, by their names; what is not named is made. A given one that has a customer key has lake_kms_key_arn."
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for name in values(var.star_schema_buckets) : can(regex("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$", name))])
    error_message = "star_schema_buckets takes names of buckets, not their ARNs: `${join("` and `", values(var.star_schema_buckets))}`."
  }
  validation {
    condition     = var.star_schema_buckets.ingestion == "" || var.star_schema_buckets.ingestion != var.star_schema_buckets.processed
    error_message = "star_schema_buckets names `${var.star_schema_buckets.ingestion}` twice: what is written once cannot lie where packets come and go."
  }
}

variable "star_schema_description" {
  type        = object({ star = string, tables = string })
  description = "A star of your own: `star` is its description, an address in S3 or a path in the zip; `tables` is the file that `nozzle star sql --engine glue` makes of it, for Athena. Null for the built-in star."
  default     = null
  validation {
    condition     = var.star_schema_description == null || can(regex("^(s3://[^/]+/.+|[^:]+)$", var.star_schema_description.star))
    error_message = "star_schema_description has the star `${try(var.star_schema_description.star, "")}`: it must be such as `s3://bucket/star.toml`, or a path in the zip."
  }
  validation {
    condition     = var.star_schema_description == null || can(keys(merge([for part in ["tables", "views"] : { for one in jsondecode(file(var.star_schema_description.tables))[part] : one.name => one.columns }]...)))
    error_message = "star_schema_description has the tables `${try(var.star_schema_description.tables, "")}`: it must be a file that `nozzle star sql --engine glue` has made; a relative path starts at this folder."
  }
}

variable "star_schema_parameter_prefix" {
  type        = string
  description = "What the names of the parameters begin with that say how far each table is loaded; empty for `/<project>-<environment>/star/`."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^(/([A-Za-z0-9_.-]+/)+)?$", var.star_schema_parameter_prefix)) && !can(regex("(?i)^/(aws|ssm)", var.star_schema_parameter_prefix))
    error_message = "star_schema_parameter_prefix is `${var.star_schema_parameter_prefix}`: it takes A-Z a-z 0-9 _ . - between slashes, one at both ends, and does not begin with `/aws` or `/ssm`."
  }
}

variable "star_schema_refused_rows_max" {
  type        = number
  description = "The share of a packet's rows beyond which it is refused whole, from 0 to 1; 1 for never."
  default     = 1
  nullable    = false
  validation {
    condition     = var.star_schema_refused_rows_max >= 0 && var.star_schema_refused_rows_max <= 1
    error_message = "star_schema_refused_rows_max is ${var.star_schema_refused_rows_max}: it must be a share, from 0 to 1."
  }
}

variable "star_schema_late_hours" {
  type        = number
  description = "How old a packet's newest row may be when it is loaded before an alarm, in hours: more than the time between two ingestions."
  default     = 24
  nullable    = false
  validation {
    condition     = var.star_schema_late_hours > 0
    error_message = "star_schema_late_hours is ${var.star_schema_late_hours}: it must be more than 0."
  }
}

variable "star_schema_zip" {
  type        = string
  description = "The zip of the star-schema loader's function, as `make build` leaves it; a relative path starts at this folder."
  default     = "../target/lambda/star-schema/bootstrap.zip"
  nullable    = false
}

variable "star_schema_memory_megabytes" {
  type        = number
  description = "The memory of the star-schema loader's function. Lambda gives it processor time in proportion."
  default     = 512
  nullable    = false
  validation {
    condition     = var.star_schema_memory_megabytes >= 128 && var.star_schema_memory_megabytes <= 10240 && floor(var.star_schema_memory_megabytes) == var.star_schema_memory_megabytes
    error_message = "star_schema_memory_megabytes is ${var.star_schema_memory_megabytes}: Lambda takes a whole number from 128 to 10240."
  }
}

# Storage

variable "bucket_name" {
  type        = string
  description = "Name of the lake's bucket; empty for `<project>-<environment>-lake-<account>-<region>`."
  default     = ""
  nullable    = false
  validation {
    condition = var.bucket_name == "" || (
      can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name)) &&
      !can(regex("[.][.]|^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$|^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$", var.bucket_name))
    )
    error_message = "bucket_name is `${var.bucket_name}`: S3 takes 3 to 63 lower-case letters, digits, hyphens and single dots, a letter or digit at both ends, not in the form of an IP address and without a beginning or an end that S3 reserves."
  }
}

variable "lake_kms_key_arn" {
  type        = string
  description = "ARN of a customer key for the lake's objects; empty for keys S3 manages. Its policy must let the account use it, and who reads the lake needs kms:Decrypt."
  default     = ""
  nullable    = false
  validation {
    condition     = var.lake_kms_key_arn == "" || can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/.+$", var.lake_kms_key_arn))
    error_message = "lake_kms_key_arn is `${var.lake_kms_key_arn}`: it must be the ARN of a KMS key (not of an alias) in region."
  }
}

variable "lake_versioning" {
  type        = bool
  description = "Whether the bucket keeps what is overwritten or deleted, for 30 days."
  default     = false
  nullable    = false
}

variable "lake_archive_days" {
  type        = number
  description = "Days after which delivered objects move to Intelligent-Tiering; 0 for never."
  default     = 90
  nullable    = false
  validation {
    condition     = var.lake_archive_days >= 0 && floor(var.lake_archive_days) == var.lake_archive_days
    error_message = "lake_archive_days is ${var.lake_archive_days}: it must be a whole number of days, or 0 for never."
  }
}

variable "lake_expiration_days" {
  type        = number
  description = "Days after which delivered objects are deleted; 0 for never."
  default     = 0
  nullable    = false
  validation {
    condition     = floor(var.lake_expiration_days) == var.lake_expiration_days && (var.lake_expiration_days == 0 || var.lake_expiration_days > var.lake_archive_days)
    error_message = "lake_expiration_days is ${var.lake_expiration_days}: it must be a whole number of days beyond lake_archive_days, or 0 for never."
  }
}

variable "error_expiration_days" {
  type        = number
  description = "Days after which error files are deleted: the time there is to send their records through again."
  default     = 90
  nullable    = false
  validation {
    condition     = var.error_expiration_days >= 1 && floor(var.error_expiration_days) == var.error_expiration_days
    error_message = "error_expiration_days is ${var.error_expiration_days}: it must be a whole number of days from 1."
  }
}

variable "originals_expiration_days" {
  type        = number
  description = "Days after which backed up originals are deleted."
  default     = 30
  nullable    = false
  validation {
    condition     = var.originals_expiration_days >= 1 && floor(var.originals_expiration_days) == var.originals_expiration_days
    error_message = "originals_expiration_days is ${var.originals_expiration_days}: it must be a whole number of days from 1."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether `destroy` is refused before it removes anything. To tear such an environment down, first apply with false."
  default     = true
  nullable    = false
}

variable "query_scan_gigabytes_max" {
  type        = number
  description = "How much one Athena query in the workgroup may read."
  default     = 100
  nullable    = false
  validation {
    condition     = var.query_scan_gigabytes_max >= 1 && floor(var.query_scan_gigabytes_max) == var.query_scan_gigabytes_max
    error_message = "query_scan_gigabytes_max is ${var.query_scan_gigabytes_max}: it must be a whole number from 1."
  }
}

# Watching

variable "alarm_email" {
  type        = string
  description = "Where alarms are mailed; empty for nowhere. AWS sends a mail first, in which the address must be confirmed."
  default     = ""
  nullable    = false
  validation {
    condition     = var.alarm_email == "" || can(regex("^[^@\\s]+@[^@\\s]+[.][^@\\s]+$", var.alarm_email))
    error_message = "alarm_email is `${var.alarm_email}`: it must be an e-mail address, or empty."
  }
}

variable "alarm_kms_key_arn" {
  type        = string
  description = "ARN of a customer key for the alarm topic; empty for none. Its policy must grant kms:Decrypt and kms:GenerateDataKey* to cloudwatch.amazonaws.com and, without a condition on the source, to events.amazonaws.com, else no alarm arrives. The AWS-managed key cannot grant that."
  default     = ""
  nullable    = false
  validation {
    condition     = var.alarm_kms_key_arn == "" || can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/.+$", var.alarm_kms_key_arn))
    error_message = "alarm_kms_key_arn is `${var.alarm_kms_key_arn}`: it must be the ARN of a KMS key of your own in region (not an alias: with `alias/aws/sns` alarms cannot publish)."
  }
}

variable "error_mail" {
  type        = bool
  description = "Whether each error file is told to the alarm topic, without a threshold. Overflow and a failed conversion to Parquet ring nowhere else. Turn it off where producers always send something that is refused."
  default     = true
  nullable    = false
}

variable "delivery_delay_seconds_max" {
  type        = number
  description = "How old the oldest undelivered record may be before an alarm."
  default     = 1800
  nullable    = false
  validation {
    condition     = var.delivery_delay_seconds_max >= 2 * var.buffer_seconds && var.delivery_delay_seconds_max > 0
    error_message = "delivery_delay_seconds_max is ${var.delivery_delay_seconds_max}: it must be at least twice buffer_seconds (${var.buffer_seconds}), since Firehose may take 1.5 times that without anything being wrong."
  }
}

variable "refused_percent_max" {
  type        = number
  description = "The share of records, in percent, that may be refused before an alarm."
  default     = 1
  nullable    = false
  validation {
    condition     = var.refused_percent_max >= 0 && var.refused_percent_max < 100
    error_message = "refused_percent_max is ${var.refused_percent_max}: it must be a percentage from 0 to below 100."
  }
}

variable "active_partitions_quota" {
  type        = number
  description = "The account's quota of active partitions a stream (500 unless AWS raised it); an alarm comes at 80 % of it, and no batch may spread over more."
  default     = 500
  nullable    = false
  validation {
    condition     = var.active_partitions_quota >= 1 && floor(var.active_partitions_quota) == var.active_partitions_quota
    error_message = "active_partitions_quota is ${var.active_partitions_quota}: it must be a whole number from 1."
  }
}
