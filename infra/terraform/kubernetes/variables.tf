variable "name" {
  description = "Name of the release, and the first part of the names of all that belongs to it."
  type        = string
  default     = "mlops-backend"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 50 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "namespace" {
  description = "Namespace of the release."
  type        = string
  default     = "mlops"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a DNS label: up to 63 lower-case letters, digits and hyphens."
  }
}

variable "create_namespace" {
  description = "False: the namespace is there already, and its labels are somebody else's matter."
  type        = bool
  default     = true
}

variable "chart" {
  description = "Path or address of the chart; null: the one of this repository."
  type        = string
  default     = null
}

variable "image" {
  description = "Image of the service. The digest wins over the tag; without either it is the chart's version."
  type = object({
    repository = string
    tag        = optional(string, "")
    digest     = optional(string, "")
  })

  validation {
    condition     = can(regex("^(sha256:[0-9a-f]{64})?$", var.image.digest))
    error_message = "image.digest must be sha256: and 64 hexadecimal digits, or empty."
  }
}

variable "database_url" {
  description = "postgres://user:password@host:5432/database?sslmode=verify-full. Kept in no state or plan."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^postgres(ql)?://.+", var.database_url))
    error_message = "database_url must begin with postgres:// or postgresql://."
  }
}

variable "api_keys" {
  description = "owner:sha256-of-key, separated by commas (docs/security.md). Kept in no state or plan."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,64}:[0-9a-f]{64}(,[A-Za-z0-9_.-]{1,64}:[0-9a-f]{64})*$", var.api_keys))
    error_message = "api_keys must be owner:sha256-of-key entries (64 lower-case hexadecimal digits), separated by commas."
  }
}

variable "metrics_bearer_token" {
  description = "Token that a scrape must send. Kept in no state or plan."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.metrics_bearer_token) >= 16
    error_message = "metrics_bearer_token must have 16 characters or more."
  }
}

variable "otlp_headers" {
  description = "OTEL_EXPORTER_OTLP_HEADERS, sent with every export: key=value pairs, separated by commas. Kept in no state or plan."
  type        = string
  default     = ""
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^([^=,]+=[^,;]+(,|$))*$", var.otlp_headers)) && (var.send_otlp_headers == (var.otlp_headers != ""))
    error_message = "otlp_headers must be key=value pairs, separated by commas, and go together with send_otlp_headers."
  }
}

variable "send_otlp_headers" {
  description = "True with otlp_headers: Terraform can't tell from a value that it keeps nowhere whether there is one."
  type        = bool
  default     = false
}

variable "secrets_revision" {
  description = "To be raised with each change of a secret: Terraform can't see the change itself. The processes are restarted."
  type        = number
  default     = 1

  validation {
    # With 0 or null the provider leaves write-only data out and makes an empty Secret.
    condition     = var.secrets_revision >= 1 && floor(var.secrets_revision) == var.secrets_revision
    error_message = "secrets_revision must be a whole number, 1 or more."
  }
}

variable "bucket" {
  description = "S3 bucket of the files."
  type = object({
    name     = string
    region   = string
    endpoint = optional(string, "")
    prefix   = optional(string, "")
  })

  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$", var.bucket.prefix))
    error_message = "bucket.prefix must be letters, digits, . _ - and, in between, /."
  }
}

variable "role_arn" {
  description = "IAM role of the service account, for the bucket."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be arn:aws:iam::<account>:role/<name>."
  }
}

variable "ca_certificates" {
  description = "PEM of authorities that Node doesn't know, e.g. those of RDS; empty: none."
  type        = string
  default     = ""

  validation {
    condition     = var.ca_certificates == "" || startswith(trimspace(var.ca_certificates), "-----BEGIN CERTIFICATE-----")
    error_message = "ca_certificates must be PEM, beginning with -----BEGIN CERTIFICATE-----."
  }
}

variable "settings" {
  description = "Settings of the service by their environment names, as in .env.example."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "settings must be named as environment variables: DATASET_TTL_DAYS."
  }
  validation {
    condition = alltrue([
      for name in keys(var.settings) :
      !can(regex("^(DATABASE_URL|API_KEYS|METRICS_BEARER_TOKEN|S3__ACCESS_KEY_ID|S3__SECRET_ACCESS_KEY|OTEL_EXPORTER_OTLP_([A-Z]+_)?HEADERS)$", name))
    ])
    error_message = "settings are kept in state and plan: secrets have variables of their own (database_url, api_keys, metrics_bearer_token, otlp_headers)."
  }
}

variable "replicas" {
  description = "Fewest and most processes of each role; the same number twice: no scaling, and for workers no KEDA needed."
  type = object({
    api    = optional(object({ minimum = optional(number, 2), maximum = optional(number, 2) }), {})
    worker = optional(object({ minimum = optional(number, 1), maximum = optional(number, 1) }), {})
  })
  default = {}

  validation {
    condition     = alltrue([for count in values(var.replicas) : count.minimum >= 1 && count.maximum >= count.minimum])
    error_message = "replicas: each minimum must be 1 or more, since without a worker nothing expires, and each maximum not less."
  }
}

variable "prometheus_url" {
  description = "Prometheus that KEDA asks for the queue; empty: KEDA asks PostgreSQL."
  type        = string
  default     = ""
}

variable "hosts" {
  description = "Host names of the Ingress; empty: none."
  type        = list(string)
  default     = []
}

variable "ingress" {
  description = "Class, annotations and TLS secret of the Ingress."
  type = object({
    class_name  = optional(string, "")
    annotations = optional(map(string), {})
    tls_secret  = optional(string, "")
  })
  default = {}
}

variable "prometheus_operator_labels" {
  description = "Labels by which the operator's Prometheus selects ServiceMonitor and PrometheusRule, e.g. release; null: neither is made."
  type        = map(string)
  default     = null
}

variable "dashboards" {
  description = "Dashboards as ConfigMaps for Grafana's sidecar. In namespace, where it only looks there; else beside the release."
  type = object({
    enabled        = optional(bool, false)
    namespace      = optional(string)
    labels         = optional(map(string), { grafana_dashboard = "1" })
    datasource_uid = optional(string, "prometheus")
  })
  default = {}
}

variable "values" {
  description = "Further values of the chart as YAML; the last one wins."
  type        = list(string)
  default     = []
}

variable "timeout_seconds" {
  description = "Time that a release gets until its processes are ready; then it is set back."
  type        = number
  default     = 900

  validation {
    condition     = var.timeout_seconds >= 60
    error_message = "timeout_seconds must be 60 or more: a start may have to migrate."
  }
}
