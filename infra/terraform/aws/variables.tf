variable "name" {
  description = "Name of the deployment: of the database instance, and the first part of other names."
  type        = string

  validation {
    # An RDS identifier begins with a letter; the longest suffix of ours must fit into the 64 characters of a role.
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must be 3 to 42 lower-case letters, digits and single hyphens, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "VPC of the cluster."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id must be the id of a VPC, vpc-…"
  }
}

variable "database_subnet_ids" {
  description = "Private subnets for PostgreSQL, in two availability zones or more."
  type        = list(string)

  validation {
    condition     = length(var.database_subnet_ids) >= 2 && alltrue([for id in var.database_subnet_ids : startswith(id, "subnet-")])
    error_message = "database_subnet_ids must be two subnets or more, subnet-…; RDS wants two availability zones."
  }
}

variable "database_password" {
  description = "Password of PostgreSQL's user. It is written to AWS and kept in no state or plan."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[^\\s/@\"]{16,128}$", var.database_password))
    error_message = "database_password must be 16 to 128 characters without white space, /, @ and double quotes, as RDS wants it."
  }
}

variable "database_password_version" {
  description = "To be raised with each change of database_password: Terraform can't see the change itself."
  type        = number
  default     = 1
}

variable "client_security_group_ids" {
  description = "Security groups of the cluster's nodes or pods: who may reach PostgreSQL."
  type        = list(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0 && alltrue([for id in var.client_security_group_ids : startswith(id, "sg-")])
    error_message = "client_security_group_ids must name one security group or more, sg-…; without one nobody reaches the database."
  }
}

variable "oidc_provider_arn" {
  description = "The cluster's OIDC provider in IAM, for the role of the service account (IRSA)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be arn:aws:iam::<account>:oidc-provider/<issuer>."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the service account that gets the role."
  type        = string
  default     = "mlops"
}

variable "service_account_name" {
  description = "Service account that gets the role; the chart calls it as the release, if not told otherwise."
  type        = string
  default     = "mlops-backend"
}

variable "bucket_name" {
  description = "Name of the bucket; null lets AWS make one that is unique, beginning with name."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "kms_key_arn" {
  description = "KMS key for bucket and database; null: AES256 for the bucket and the account's RDS key."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be arn:aws:kms:<region>:<account>:key/<id>; an alias is not enough for RDS."
  }
}

variable "stale_upload_days" {
  description = "Days after which parts of uploads that nobody finished are removed."
  type        = number
  default     = 1

  validation {
    condition     = var.stale_upload_days >= 1 && floor(var.stale_upload_days) == var.stale_upload_days
    error_message = "stale_upload_days must be whole days, 1 or more; S3 counts no less."
  }
}

variable "postgres_version" {
  description = "PostgreSQL's version; the service is tested on 15 and newer."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^(1[5-9]|2[0-9])(\\.[0-9]+)?$", var.postgres_version))
    error_message = "postgres_version must be 15 or newer."
  }
}

variable "instance_class" {
  description = "Class of the database instance. Each api process takes up to 14 connections and each worker up to 10: docs/operations.md."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must be an RDS class, db.…"
  }
}

variable "storage_gib" {
  description = "Size of the database's volume, and the most that it may grow to by itself."
  type = object({
    initial = optional(number, 20)
    maximum = optional(number, 100)
  })
  default = {}

  validation {
    condition     = var.storage_gib.initial >= 20 && var.storage_gib.maximum >= var.storage_gib.initial
    error_message = "storage_gib.initial must be 20 or more, and storage_gib.maximum not less."
  }
}

variable "multi_az" {
  description = "A standby in another availability zone. Rows that were acknowledged survive the loss of a zone only with it."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "Days for which the database can be set back to any moment; 0 would switch backups off."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Refuses to remove the database, and the bucket while files are in it. False also leaves out the last snapshot."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
