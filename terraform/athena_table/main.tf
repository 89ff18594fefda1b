# One table that Athena reads a folder as, whose partitions are computed from their keys.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  is_parquet = var.format == "parquet"
}

resource "aws_glue_catalog_table" "table" {
  name          = var.name
  database_name = var.database
  description   = var.description
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(var.parameters, { EXTERNAL = "TRUE", classification = var.format })

  dynamic "partition_keys" {
    for_each = var.key_columns

    content {
      name = partition_keys.value.name
      type = partition_keys.value.type
    }
  }

  storage_descriptor {
    location      = var.location
    input_format  = local.is_parquet ? "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat" : "org.apache.hadoop.mapred.TextInputFormat"
    output_format = local.is_parquet ? "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat" : "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = local.is_parquet ? "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" : "org.openx.data.jsonserde.JsonSerDe"

      # This reader may take a key that a producer wrote twice, in whatever case, for an error; without the function
      # anything may lie there. Such a line is a row of nulls: no producer can make every query fail.
      parameters = local.is_parquet ? { "serialization.format" = "1" } : { "ignore.malformed.json" = "true" }
    }

    dynamic "columns" {
      for_each = var.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}
