# Without a cluster. Where the values of a release stand, tests/e2e/terraform-modules.test.ts renders the chart with them.
mock_provider "kubernetes" {}
mock_provider "helm" {}

variables {
  image                = { repository = "registry.example.org/mlops-backend" }
  database_url         = "postgres://mlops:made-up@postgres.data:5432/mlops"
  api_keys             = "anna:0000000000000000000000000000000000000000000000000000000000000000"
  metrics_bearer_token = "a-long-made-up-token"
  otlp_headers         = "" # terraform test takes no default of an ephemeral variable
  bucket               = { name = "mlops-files", region = "eu-central-1" }
  role_arn             = "arn:aws:iam::123456789012:role/mlops-files"
}

run "minimal" {
  assert {
    condition     = kubernetes_namespace_v1.this[0].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The namespace must hold pods to PodSecurity restricted."
  }
  assert {
    condition     = kubernetes_secret_v1.this.data == null && kubernetes_secret_v1.this.data_wo_revision == 1
    error_message = "A secret would be in the state."
  }
  assert {
    condition     = !strcontains(helm_release.this.values[0], "made-up") && !strcontains(helm_release.this.values[0], "0000")
    error_message = "A secret would be in the release."
  }
  assert {
    condition     = yamldecode(helm_release.this.values[0]).secrets.existingSecret == "mlops-backend-secrets"
    error_message = "The chart must take the Secret that is made here."
  }
  assert {
    condition     = helm_release.this.namespace == "mlops" && helm_release.this.atomic
    error_message = "A release that does not come up must be set back."
  }
  assert {
    condition = alltrue([
      for role in ["api", "worker"] : !yamldecode(helm_release.this.values[0])[role].autoscaling.enabled
    ])
    error_message = "Nothing is scaled unless asked for: KEDA may not be there."
  }
  assert {
    condition     = length(kubernetes_config_map_v1.ca) == 0 && length(kubernetes_config_map_v1.dashboards) == 0
    error_message = "Nothing more is made than was asked for."
  }
  assert {
    condition     = output.service == "mlops-backend.mlops.svc:80" && length(output.urls) == 0
    error_message = "The outputs must say where the API is."
  }
}

run "complete" {
  variables {
    name             = "ml"
    namespace        = "production"
    create_namespace = false
    image = {
      repository = "registry.example.org/mlops-backend"
      digest     = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    }
    bucket                     = { name = "files", region = "", endpoint = "https://minio.storage:9000", prefix = "ml" }
    secrets_revision           = 7
    ca_certificates            = "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n"
    settings                   = { DATASET_TTL_DAYS = "90" }
    otlp_headers               = "authorization=Bearer%20made-up"
    send_otlp_headers          = true
    replicas                   = { api = { maximum = 8 }, worker = { minimum = 1, maximum = 20 } }
    prometheus_url             = "http://prometheus-operated.monitoring:9090"
    hosts                      = ["mlops.example.org"]
    ingress                    = { class_name = "nginx", tls_secret = "mlops-tls", annotations = { a = "b" } }
    prometheus_operator_labels = { release = "kube-prometheus-stack" }
    dashboards                 = { enabled = true, namespace = "monitoring", datasource_uid = "thanos" }
    values                     = ["worker: { trainingConcurrency: 2 }"]
  }
  assert {
    condition     = length(kubernetes_namespace_v1.this) == 0 && helm_release.this.namespace == "production"
    error_message = "A namespace that is there is not made."
  }
  assert {
    condition     = yamldecode(helm_release.this.values[0]).secrets.existingKeys.otlpHeaders == "OTEL_EXPORTER_OTLP_HEADERS" && !strcontains(helm_release.this.values[0], "made-up")
    error_message = "Headers of exports must stand in the Secret, and their key in the release."
  }
  assert {
    condition = alltrue([
      for role, most in { api = 8, worker = 20 } :
      yamldecode(helm_release.this.values[0])[role].autoscaling.enabled && yamldecode(helm_release.this.values[0])[role].autoscaling.maxReplicas == most
    ])
    error_message = "Both roles are scaled as far as asked for."
  }
  assert {
    condition     = yamldecode(helm_release.this.values[0]).worker.podAnnotations["mlops-backend/secrets-revision"] == "7"
    error_message = "Other secrets must restart the processes, which read them at start."
  }
  assert {
    condition     = kubernetes_config_map_v1.ca[0].metadata[0].name == yamldecode(helm_release.this.values[0]).caCertificates.configMap
    error_message = "The chart must mount the authorities that are made here."
  }
  assert {
    condition     = length(kubernetes_config_map_v1.dashboards) == length(fileset("${path.module}/../../helm/mlops-backend/dashboards", "*.json")) && !yamldecode(helm_release.this.values[0]).monitoring.dashboards.enabled
    error_message = "Dashboards in another namespace are not made by the chart as well."
  }
  assert {
    condition = alltrue([
      for map in kubernetes_config_map_v1.dashboards :
      map.metadata[0].namespace == "monitoring" && map.metadata[0].labels.grafana_dashboard == "1"
      && strcontains(one(values(map.data)), "\"uid\":\"thanos\"") && !strcontains(one(values(map.data)), "\"uid\":\"Prometheus\"")
    ])
    error_message = "The sidecar must find the dashboards, and they the datasource."
  }
  assert {
    condition     = helm_release.this.values[1] == "worker: { trainingConcurrency: 2 }"
    error_message = "Values of one's own win."
  }
  assert {
    condition     = output.urls == ["https://mlops.example.org/api/docs"]
    error_message = "The outputs must say where the API is."
  }
}

run "wrong_values_are_refused" {
  command = plan
  variables {
    name                 = "Ml"
    namespace            = "my_namespace"
    image                = { repository = "a", digest = "sha256:abc" }
    database_url         = "mysql://a"
    api_keys             = "anna:secret"
    metrics_bearer_token = "short"
    secrets_revision     = 0
    bucket               = { name = "files", region = "", prefix = "/ml" }
    role_arn             = "mlops-files"
    ca_certificates      = "ca.pem"
    settings             = { "dataset-ttl-days" = "1" }
    otlp_headers         = "Bearer abc"
    replicas             = { worker = { minimum = 0, maximum = 2 } }
    timeout_seconds      = 5
  }
  expect_failures = [
    var.name,
    var.namespace,
    var.image,
    var.database_url,
    var.api_keys,
    var.metrics_bearer_token,
    var.secrets_revision,
    var.bucket,
    var.role_arn,
    var.ca_certificates,
    var.settings,
    var.otlp_headers,
    var.replicas,
    var.timeout_seconds,
  ]
}

run "no_secret_is_a_setting" {
  command = plan
  variables {
    settings = { OTEL_EXPORTER_OTLP_HEADERS = "authorization=abc" }
    replicas = { api = { minimum = 3 } }
  }
  expect_failures = [var.settings, var.replicas]
}
