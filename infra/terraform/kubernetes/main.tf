locals {
  own_chart = "${path.module}/../../helm/mlops-backend"
  namespace = var.create_namespace ? kubernetes_namespace_v1.this[0].metadata[0].name : var.namespace
  labels = {
    "app.kubernetes.io/name"       = "mlops-backend"
    "app.kubernetes.io/instance"   = var.name
    "app.kubernetes.io/managed-by" = "Terraform"
  }
  has_operator = var.prometheus_operator_labels != null
  # The chart would put its dashboards beside the release.
  dashboards_elsewhere = var.dashboards.enabled && var.dashboards.namespace != null
  ca_config_map        = var.ca_certificates == "" ? "" : "${var.name}-ca"
  scaling = {
    for role, count in var.replicas : role => {
      enabled     = count.maximum > count.minimum
      minReplicas = count.minimum
      maxReplicas = count.maximum
    }
  }
  # Secrets are read at start.
  restarting = { "mlops-backend/secrets-revision" = tostring(var.secrets_revision) }
}

resource "kubernetes_namespace_v1" "this" {
  count = var.create_namespace ? 1 : 0

  metadata {
    name = var.namespace
    labels = {
      # The chart's pods keep to it; what else comes here has to as well.
      "pod-security.kubernetes.io/enforce" = "restricted"
      "pod-security.kubernetes.io/warn"    = "restricted"
    }
  }
}

resource "kubernetes_secret_v1" "this" {
  metadata {
    name      = "${var.name}-secrets"
    namespace = local.namespace
    labels    = local.labels
  }
  type = "Opaque"

  # Write-only: what the chart made of values would stand in the release, and what `data` says in the state.
  data_wo = merge(
    {
      DATABASE_URL         = var.database_url
      API_KEYS             = var.api_keys
      METRICS_BEARER_TOKEN = var.metrics_bearer_token
    },
    var.send_otlp_headers ? { OTEL_EXPORTER_OTLP_HEADERS = var.otlp_headers } : {},
  )
  data_wo_revision = var.secrets_revision
}

resource "kubernetes_config_map_v1" "ca" {
  count = var.ca_certificates == "" ? 0 : 1

  metadata {
    name      = local.ca_config_map
    namespace = local.namespace
    labels    = local.labels
  }
  data = { "ca.pem" = var.ca_certificates }
}

resource "kubernetes_config_map_v1" "dashboards" {
  for_each = local.dashboards_elsewhere ? fileset("${local.own_chart}/dashboards", "*.json") : []

  metadata {
    name      = "${var.name}-${trimprefix(trimsuffix(each.value, ".json"), "mlops-backend-")}"
    namespace = var.dashboards.namespace
    labels    = merge(local.labels, var.dashboards.labels)
  }
  data = {
    (each.value) = replace(
      file("${local.own_chart}/dashboards/${each.value}"), "\"uid\":\"Prometheus\"", "\"uid\":${jsonencode(var.dashboards.datasource_uid)}"
    )
  }
}

resource "helm_release" "this" {
  name      = var.name
  namespace = local.namespace
  chart     = coalesce(var.chart, local.own_chart)
  # A release that does not come up is set back: half of it would be left otherwise.
  atomic  = true
  wait    = true
  timeout = var.timeout_seconds

  values = concat([yamlencode({
    fullnameOverride = var.name
    image = {
      repository = var.image.repository
      tag        = var.image.tag
      digest     = var.image.digest
    }
    settings = var.settings
    secrets = {
      existingSecret = kubernetes_secret_v1.this.metadata[0].name
      existingKeys = {
        metricsBearerToken = "METRICS_BEARER_TOKEN"
        otlpHeaders        = var.send_otlp_headers ? "OTEL_EXPORTER_OTLP_HEADERS" : ""
      }
    }
    caCertificates = { configMap = local.ca_config_map }
    storage = {
      backend = "s3"
      s3 = {
        bucket   = var.bucket.name
        region   = var.bucket.region
        endpoint = var.bucket.endpoint
        prefix   = var.bucket.prefix
      }
    }
    serviceAccount = { annotations = { "eks.amazonaws.com/role-arn" = var.role_arn } }
    api = {
      replicas       = var.replicas.api.minimum
      autoscaling    = local.scaling.api
      podAnnotations = local.restarting
    }
    worker = {
      replicas = var.replicas.worker.minimum
      autoscaling = merge(local.scaling.worker, {
        source           = var.prometheus_url == "" ? "postgresql" : "prometheus"
        fallbackReplicas = var.replicas.worker.minimum
        prometheus       = { serverAddress = var.prometheus_url }
      })
      podAnnotations = local.restarting
    }
    ingress = {
      enabled     = length(var.hosts) > 0
      className   = var.ingress.class_name
      annotations = var.ingress.annotations
      hosts       = var.hosts
      tls         = var.ingress.tls_secret == "" ? [] : [{ secretName = var.ingress.tls_secret, hosts = var.hosts }]
    }
    monitoring = {
      serviceMonitor = { enabled = local.has_operator, labels = coalesce(var.prometheus_operator_labels, {}) }
      prometheusRule = { enabled = local.has_operator, labels = coalesce(var.prometheus_operator_labels, {}) }
      dashboards = {
        enabled       = var.dashboards.enabled && !local.dashboards_elsewhere
        labels        = var.dashboards.labels
        datasourceUid = var.dashboards.datasource_uid
      }
    }
  })], var.values)

  depends_on = [kubernetes_config_map_v1.ca]
}
