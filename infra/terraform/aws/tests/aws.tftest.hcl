# Without an account: the provider's schema is real, its answers are made up.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::made-up" }
  }
}

variables {
  name                      = "mlops-test"
  vpc_id                    = "vpc-1"
  database_subnet_ids       = ["subnet-1", "subnet-2"]
  client_security_group_ids = ["sg-1"]
  oidc_provider_arn         = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC"
  database_password         = "a-long-made-up-password"
}

run "what_is_kept_is_encrypted_and_out_of_reach" {
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "The database must be encrypted and not public."
  }
  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo_version == 1
    error_message = "The password would be in the state."
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && !aws_s3_bucket.files.force_destroy
    error_message = "Nothing that users have may go by accident."
  }
  assert {
    condition     = alltrue([for name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.files[name]])
    error_message = "Public access must be blocked in all four ways."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.files.versioning_configuration).status == "Disabled"
    error_message = "Versions would keep what users deleted."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.files.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "The bucket must encrypt by default."
  }
  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.files.rule).abort_incomplete_multipart_upload).days_after_initiation == 1
    error_message = "Stale parts must go."
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "PostgreSQL must refuse what is not TLS."
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "The parameters must be those of the engine's major version."
  }
}

run "the_role_is_for_one_service_account_and_one_bucket" {
  variables {
    namespace            = "ml"
    service_account_name = "trainer"
  }
  assert {
    condition = toset(flatten([for condition in one(data.aws_iam_policy_document.assume.statement).condition : condition.values])) == toset(
      ["system:serviceaccount:ml:trainer", "sts.amazonaws.com"]
    )
    error_message = "Another service account could take the role."
  }
  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.files.statement :
      alltrue([for resource in statement.resources : startswith(resource, aws_s3_bucket.files.arn)])
      && alltrue([for action in statement.actions : !strcontains(action, "*")])
    ])
    error_message = "The role may do more than it needs."
  }
  assert {
    condition     = length(data.aws_iam_policy_document.files.statement) == 2
    error_message = "Without a key there is nothing to say about KMS."
  }
}

run "a_key_of_ones_own_is_used_for_both" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }
  assert {
    condition     = aws_db_instance.this.kms_key_id == var.kms_key_arn
    error_message = "The database must take the key."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.files.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "The bucket must take the key."
  }
  assert {
    condition     = contains(flatten(data.aws_iam_policy_document.files.statement[*].resources), var.kms_key_arn)
    error_message = "The role must be allowed to use the key."
  }
}

run "wrong_values_are_refused" {
  command = plan
  variables {
    name                      = "Mlops_Test"
    vpc_id                    = "10.0.0.0/16"
    database_subnet_ids       = ["subnet-1"]
    client_security_group_ids = []
    database_password         = "short"
    oidc_provider_arn         = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC"
    bucket_name               = "My Bucket"
    kms_key_arn               = "alias/mine"
    stale_upload_days         = 0
    postgres_version          = "14"
    instance_class            = "t4g.small"
    storage_gib               = { initial = 100, maximum = 50 }
    backup_retention_days     = 0
  }
  expect_failures = [
    var.name,
    var.vpc_id,
    var.database_subnet_ids,
    var.client_security_group_ids,
    var.database_password,
    var.oidc_provider_arn,
    var.bucket_name,
    var.kms_key_arn,
    var.stale_upload_days,
    var.postgres_version,
    var.instance_class,
    var.storage_gib,
    var.backup_retention_days,
  ]
}
