# The lake and the claim table: nothing public, nothing kept that should go, nothing lost that should stay.
# Run in the workspace `default`, so that is the environment here.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment  = "default"
  region       = "eu-central-1"
  function_zip = "versions.tf" # any file will do

  deletion_protection = false
}

run "nothing_of_the_lake_is_public" {
  assert {
    condition = (
      module.lake_bucket.public_access_block.block_public_acls &&
      module.lake_bucket.public_access_block.block_public_policy &&
      module.lake_bucket.public_access_block.ignore_public_acls &&
      module.lake_bucket.public_access_block.restrict_public_buckets
    )
    error_message = "The bucket's public access is not blocked."
  }

  assert {
    condition     = module.lake_bucket.ownership.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Objects may have access lists of their own."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(module.lake_bucket.policy.policy).Statement : statement.Effect == "Deny"])
    error_message = "The bucket's policy allows something; access is the roles' to give."
  }

  assert {
    condition     = module.lake_bucket.public_access_block.bucket == module.lake_bucket.bucket.bucket && module.lake_bucket.policy.bucket == module.lake_bucket.bucket.bucket
    error_message = "Another bucket than the lake is protected."
  }
}

run "the_lake_speaks_tls_only" {
  assert {
    condition = anytrue([
      for statement in jsondecode(module.lake_bucket.policy.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && statement.Action == "s3:*" &&
      try(statement.Condition.Bool["aws:SecureTransport"], "") == "false" &&
      length(setsubtract([module.lake_bucket.bucket.arn, "${module.lake_bucket.bucket.arn}/*"], statement.Resource)) == 0
    ])
    error_message = "Requests without TLS are not denied on the bucket and its objects."
  }
}

run "the_lake_is_encrypted" {
  assert {
    condition     = one(one(module.lake_bucket.encryption.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "The bucket's default encryption is off."
  }
}

run "the_lake_takes_a_key_of_the_users" {
  variables {
    lake_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition = (
      one(one(module.lake_bucket.encryption.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" &&
      one(one(module.lake_bucket.encryption.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.lake_kms_key_arn
    )
    error_message = "The lake is not encrypted with the key given."
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(module.delivery[0].policies.lake.policy).Statement :
      statement.Resource == var.lake_kms_key_arn && contains(statement.Action, "kms:GenerateDataKey") &&
      statement.Condition == { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } } if statement.Sid == "Encrypt"
    ])
    error_message = "Firehose may not use the lake's key, so it could not write, or may use it for more than S3."
  }
}

run "objects_expire_by_folder" {
  variables {
    lake_archive_days         = 10
    lake_expiration_days      = 20
    error_expiration_days     = 30
    originals_expiration_days = 40

    event_processor_archive_expiration_days = 50
  }

  assert {
    condition = { for rule in module.lake_bucket.lifecycle.rule : one(rule.filter[*].prefix) => one(rule.expiration[*].days) if length(rule.expiration) > 0 } == {
      events           = 20
      arrivals         = 20
      "errors/"        = 30
      "originals/"     = 40
      "redriven/"      = 90
      "dead-letters/"  = 30
      "aws/lambda/"    = 30
      "query-results/" = 7

      "event-processor/archive/"      = 50
      "event-processor/dead-letters/" = 30
    }
    error_message = "A folder does not expire as its setting says."
  }

  assert {
    condition     = { for rule in module.lake_bucket.lifecycle.rule : rule.id => one(rule.transition[*].days) if length(rule.transition) > 0 } == { events = 10, arrivals = 10, archive = 10 }
    error_message = "Delivered objects do not move as lake_archive_days says."
  }
}

run "delivered_objects_stay_where_nothing_is_said" {
  variables {
    lake_archive_days    = 0
    lake_expiration_days = 0
  }

  assert {
    condition     = !anytrue([for rule in module.lake_bucket.lifecycle.rule : contains(["events", "arrivals"], rule.id)])
    error_message = "Delivered objects move or expire although nothing asks for it."
  }
}

run "claims_expire_and_cost_by_use" {
  assert {
    condition     = one(module.claims["lake"].table.ttl).enabled && one(module.claims["lake"].table.ttl).attribute_name == "ttl"
    error_message = "Claims do not expire by `ttl`."
  }

  assert {
    condition     = module.claims["lake"].table.hash_key == "id" && module.claims["lake"].table.range_key == null && one(module.claims["lake"].table.attribute).type == "S"
    error_message = "The table's key is not the text `id`, which the function writes."
  }

  assert {
    condition     = module.claims["lake"].table.billing_mode == "PAY_PER_REQUEST" && one(module.claims["lake"].table.server_side_encryption).enabled
    error_message = "The claim table is not on demand unasked, or not encrypted."
  }

  assert {
    condition     = length(module.claims["lake"].table.point_in_time_recovery) == 0
    error_message = "Claims are worth a day: point-in-time recovery is money for nothing."
  }
}

run "versions_are_kept_on_request_only" {
  assert {
    condition     = one(module.lake_bucket.versioning.versioning_configuration).status == "Suspended"
    error_message = "Versioning is on unasked."
  }
}

run "names_fit_however_long" {
  command = plan

  variables {
    project     = "sixteen-letters1"
    region      = "ap-southeast-1"
    environment = "default"

    event_processor     = true
    event_processor_zip = "versions.tf"
  }

  # The longest environment has five letters more.
  assert {
    condition     = length(module.lake_bucket.bucket.bucket) + 5 <= 63 && length(aws_cloudwatch_dashboard.chain.dashboard_name) + 5 <= 255 && length(module.event_processor[0].reader.role.name) + 5 <= 64 && length(module.transform[0].role.name) + 5 <= 64 && length(module.delivery[0].stream.name) + 5 <= 64
    error_message = "A name can become too long for AWS."
  }
}
