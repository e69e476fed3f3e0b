# On a cluster that is there, with a database, a bucket and a role that are there: one release, scaled by nobody.
terraform {
  required_version = ">= 1.11"
}

provider "kubernetes" {
  config_path = "~/.kube/config"
}

provider "helm" {
  kubernetes = {
    config_path = "~/.kube/config"
  }
}

variable "database_url" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "api_keys" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "metrics_bearer_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

module "mlops_backend" {
  source = "../../kubernetes"

  image                = { repository = "registry.example.org/mlops-backend", tag = "0.1.0" }
  database_url         = var.database_url
  api_keys             = var.api_keys
  metrics_bearer_token = var.metrics_bearer_token
  bucket               = { name = "mlops-files", region = "eu-central-1" }
  role_arn             = "arn:aws:iam::123456789012:role/mlops-files"
}

output "service" {
  value = module.mlops_backend.service
}
