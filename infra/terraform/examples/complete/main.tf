# Everything at AWS and on EKS: PostgreSQL, bucket and role, then the release with Ingress, scaling by KEDA, the Prometheus
# operator and Grafana's sidecar.
terraform {
  required_version = ">= 1.11"
}

variable "cluster_name" {
  description = "EKS cluster with an OIDC provider, KEDA, ingress-nginx and kube-prometheus-stack."
  type        = string
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "host" {
  type    = string
  default = "mlops.example.org"
}

variable "database_subnet_ids" {
  type = list(string)
}

# To be given by TF_VAR_… from a secret store, and nowhere kept.
variable "database_password" {
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

# Raised with any change of the three.
variable "secrets_revision" {
  type    = number
  default = 1
}

provider "aws" {
  region = var.region
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_iam_openid_connect_provider" "this" {
  url = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
}

locals {
  # A token of a few minutes, asked for when it is needed: one from a data source would be too old after the database.
  exec = {
    api_version = "client.authentication.k8s.io/v1"
    command     = "aws"
    args        = ["eks", "get-token", "--cluster-name", var.cluster_name]
  }
}

provider "kubernetes" {
  host                   = data.aws_eks_cluster.this.endpoint
  cluster_ca_certificate = base64decode(data.aws_eks_cluster.this.certificate_authority[0].data)
  exec {
    api_version = local.exec.api_version
    command     = local.exec.command
    args        = local.exec.args
  }
}

provider "helm" {
  kubernetes = {
    host                   = data.aws_eks_cluster.this.endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.this.certificate_authority[0].data)
    exec                   = local.exec
  }
}

module "aws" {
  source = "../../aws"

  name                      = "mlops"
  vpc_id                    = data.aws_eks_cluster.this.vpc_config[0].vpc_id
  database_subnet_ids       = var.database_subnet_ids
  client_security_group_ids = [data.aws_eks_cluster.this.vpc_config[0].cluster_security_group_id]
  oidc_provider_arn         = data.aws_iam_openid_connect_provider.this.arn
  # 8 api processes and 20 workers take up to 336 connections, with one of each beside them during a rollout; PostgreSQL
  # has one for each 9.5 MB of memory.
  instance_class            = "db.t4g.large"
  database_password         = var.database_password
  database_password_version = var.secrets_revision
  namespace                 = "mlops"
  service_account_name      = "mlops"
  tags                      = { environment = "production" }
}

module "mlops_backend" {
  source = "../../kubernetes"

  name      = "mlops"
  namespace = "mlops"
  image     = { repository = "registry.example.org/mlops-backend", tag = "0.1.0" }

  database_url = join("", [
    "postgres://${module.aws.database_user}:${urlencode(var.database_password)}",
    "@${module.aws.database_address}:${module.aws.database_port}/${module.aws.database_name}?sslmode=verify-full",
  ])
  api_keys             = var.api_keys
  metrics_bearer_token = var.metrics_bearer_token
  secrets_revision     = var.secrets_revision
  bucket               = { name = module.aws.bucket, region = module.aws.region }
  role_arn             = module.aws.role_arn
  # AWS publishes it at https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
  ca_certificates = file("${path.module}/rds-global-bundle.pem")

  settings = {
    DATASET_TTL_DAYS = "90"
  }
  replicas = {
    api    = { minimum = 2, maximum = 8 }
    worker = { minimum = 1, maximum = 20 }
  }
  prometheus_url = "http://prometheus-operated.monitoring:9090"

  hosts = [var.host]
  ingress = {
    class_name = "nginx"
    tls_secret = "mlops-tls"
    annotations = {
      "cert-manager.io/cluster-issuer"              = "letsencrypt"
      "nginx.ingress.kubernetes.io/proxy-body-size" = "11m"
    }
  }
  prometheus_operator_labels = { release = "kube-prometheus-stack" }
  dashboards                 = { enabled = true, namespace = "monitoring" }
}

output "urls" {
  value = module.mlops_backend.urls
}
