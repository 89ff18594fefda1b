output "bucket" {
  description = "The bucket."
  value       = aws_s3_bucket.bucket
}

output "public_access_block" {
  description = "What keeps it from the public."
  value       = aws_s3_bucket_public_access_block.bucket
}

output "ownership" {
  description = "Whose its objects are."
  value       = aws_s3_bucket_ownership_controls.bucket
}

output "encryption" {
  description = "How it is encrypted."
  value       = aws_s3_bucket_server_side_encryption_configuration.bucket
}

output "versioning" {
  description = "Whether it keeps what is overwritten."
  value       = aws_s3_bucket_versioning.bucket
}

output "policy" {
  description = "What it refuses."
  value       = aws_s3_bucket_policy.bucket
}

output "lifecycle" {
  description = "When its objects move or go."
  value       = aws_s3_bucket_lifecycle_configuration.bucket
}
