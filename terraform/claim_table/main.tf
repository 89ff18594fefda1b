# Claims: who owns which event. Worth a day, so there is no backup.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_dynamodb_table" "claims" {
  #checkov:skip=CKV_AWS_28:claims live a day, and restored ones would be wrong
  #checkov:skip=CKV_AWS_119:the key AWS manages will do; a claim holds an event's identity, not the event
  name           = var.name
  billing_mode   = var.units == null ? "PAY_PER_REQUEST" : "PROVISIONED"
  write_capacity = var.units == null ? null : var.units.minimum
  read_capacity  = var.units == null ? null : local.reads.minimum
  hash_key       = "id"

  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  server_side_encryption { enabled = true }

  # One table in both ways of paying, so that a change keeps its claims: a second resource would be a second table. How
  # much is provisioned is the scaling's; on a table that was on demand it begins with 1 and is raised to the minimum.
  lifecycle { ignore_changes = [write_capacity, read_capacity] }
}
