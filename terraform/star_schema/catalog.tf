# Athena: a table over each folder of files, and the views that people read.

locals {
  catalog = jsondecode(file(coalesce(var.tables, "${path.module}/star.json")))

  # A view's columns are told twice: as the engine has them, and as the catalogue can say it.
  catalog_types = { integer = "int", varchar = "string", "time(6)" = "string" }
}

resource "aws_glue_catalog_database" "star" {
  name        = var.database
  description = "The star of ${var.name}."
}

module "tables" {
  source   = "../athena_table"
  for_each = { for table in local.catalog.tables : table.name => table }

  name        = each.key
  database    = aws_glue_catalog_database.star.name
  description = each.value.comment
  location    = "s3://${var.buckets.processed.name}/${each.value.folder}/"
  format      = "parquet"
  columns     = each.value.columns
}

resource "aws_glue_catalog_table" "views" {
  for_each = { for view in local.catalog.views : view.name => view }

  name          = each.key
  database_name = aws_glue_catalog_database.star.name
  description   = each.value.comment
  table_type    = "VIRTUAL_VIEW"

  parameters = { presto_view = "true", comment = "Presto View" }

  view_expanded_text = "/* Presto View */"
  view_original_text = "/* Presto View: ${base64encode(jsonencode({
    originalSql = each.value.sql
    catalog     = "awsdatacatalog"
    schema      = aws_glue_catalog_database.star.name
    columns     = each.value.columns
  }))} */"

  storage_descriptor {
    ser_de_info {
      name                  = "-"
      serialization_library = "-"
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name = columns.value.name
        type = lookup(local.catalog_types, columns.value.type, columns.value.type)
      }
    }
  }

  depends_on = [module.tables]
}
