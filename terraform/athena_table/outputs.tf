output "table" {
  description = "The table."
  value       = aws_glue_catalog_table.table
}
