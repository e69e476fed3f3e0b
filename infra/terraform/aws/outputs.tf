output "database_address" {
  description = "Host of PostgreSQL."
  value       = aws_db_instance.this.address
}

output "database_port" {
  description = "Its port."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "Its database."
  value       = aws_db_instance.this.db_name
}

output "database_user" {
  description = "Its user, who owns the database."
  value       = aws_db_instance.this.username
}

output "bucket" {
  description = "Bucket of the files, for storage.s3.bucket."
  value       = aws_s3_bucket.files.bucket
}

output "region" {
  description = "Its region, for storage.s3.region."
  value       = aws_s3_bucket.files.region
}

output "role_arn" {
  description = "Role of the service account, for serviceAccount.annotations[\"eks.amazonaws.com/role-arn\"]."
  value       = aws_iam_role.service.arn
}
