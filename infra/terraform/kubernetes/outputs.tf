output "namespace" {
  description = "Namespace of the release."
  value       = local.namespace
}

output "service" {
  description = "Name of the API's Service inside the cluster, with its port."
  value       = "${var.name}.${local.namespace}.svc:80"
}

output "service_account_name" {
  description = "Service account of the processes, as the role's trust policy must name it."
  value       = var.name
}

output "urls" {
  description = "Where the API is reached from outside; empty without hosts."
  value       = [for host in var.hosts : "${var.ingress.tls_secret == "" ? "http" : "https"}://${host}/api/docs"]
}

output "chart_version" {
  description = "Version of the chart that runs."
  value       = helm_release.this.version
}
