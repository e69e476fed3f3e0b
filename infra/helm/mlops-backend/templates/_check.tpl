{{/* What contradicts itself across values; single values are the schema's matter. */}}
{{- define "mlops-backend.check" -}}
{{- include "mlops-backend.checkSecrets" . -}}
{{- include "mlops-backend.checkSettings" . -}}
{{- include "mlops-backend.checkMonitoring" . -}}
{{- include "mlops-backend.checkScaling" . -}}
{{- end -}}

{{- define "mlops-backend.checkSecrets" -}}
{{- $secrets := .Values.secrets -}}
{{- $keys := include "mlops-backend.secretKeys" . | fromYaml -}}
{{- if $secrets.existingSecret -}}
{{- range $value, $_ := include "mlops-backend.secretNames" . | fromYaml -}}
{{- if index $secrets $value -}}
{{- fail (printf "secrets.existingSecret is set: secrets.%s beside it would not be used, leave it empty" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $keys.DATABASE_URL -}}
{{- fail "secrets.databaseUrl is missing: several processes need a PostgreSQL (or name a Secret in secrets.existingSecret)" -}}
{{- end -}}
{{- if and (not $keys.API_KEYS) (ne (toString .Values.settings.AUTH__DISABLED) "true") -}}
{{- fail "secrets.apiKeys is missing: set it, or settings.AUTH__DISABLED to \"true\" if something else keeps strangers out" -}}
{{- end -}}
{{- if ne (empty $keys.S3__ACCESS_KEY_ID) (empty $keys.S3__SECRET_ACCESS_KEY) -}}
{{- fail "secrets.s3AccessKeyId and secrets.s3SecretAccessKey go together" -}}
{{- end -}}
{{- end -}}

{{/* Secrets that the schema can't tell from settings, and what one role may not have for itself. */}}
{{- define "mlops-backend.checkSettings" -}}
{{- range $where, $settings := dict "settings" .Values.settings "api.settings" .Values.api.settings "worker.settings" .Values.worker.settings -}}
{{- range $name, $value := $settings -}}
{{- if regexMatch "^OTEL_EXPORTER_OTLP_([A-Z]+_)?HEADERS(_FILE)?$" $name -}}
{{- fail (printf "%s.%s: headers hold tokens, and settings are no place for secrets; give them as secrets.otlpHeaders, .otlpTracesHeaders, .otlpLogsHeaders or .otlpMetricsHeaders, or name their keys in secrets.existingKeys" $where $name) -}}
{{- end -}}
{{- if regexMatch "://[^/]*@" (toString $value) -}}
{{- fail (printf "%s.%s has credentials in its address, and settings are no place for secrets; a header of secrets.otlpHeaders can hold it" $where $name) -}}
{{- end -}}
{{- /* Replicas report one state of the deployment: figures that differ by role would be taken for one truth. */ -}}
{{- if and (ne $where "settings") (regexMatch "^(PROMETHEUS__.*|OTEL_SDK_DISABLED|OTEL_METRICS_EXPORTER|AUTH__DISABLED|DATASET_TTL_.*|MAX_MODEL_ARTIFACTS|TRAINING_TIMEOUT_SECONDS)$" $name) -}}
{{- fail (printf "%s.%s: both roles must have the same, since rules, dashboards and the other role go by it; set it in settings" $where $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mlops-backend.checkMonitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- $prefix := include "mlops-backend.metricPrefix" . -}}
{{- with $off := include "mlops-backend.metricsOffBy" . -}}
{{- range $part := list "serviceMonitor" "prometheusRule" "annotations" -}}
{{- $value := index $monitoring $part -}}
{{- if or (and (kindIs "map" $value) $value.enabled) (and (kindIs "bool" $value) $value) -}}
{{- fail (printf "%s: there is nothing to scrape, and alerts would miss it for ever; switch monitoring.%s off" $off $part) -}}
{{- end -}}
{{- end -}}
{{- if and $.Values.worker.autoscaling.enabled (eq $.Values.worker.autoscaling.source "prometheus") -}}
{{- fail (printf "%s: Prometheus will not know the queue; worker.autoscaling.source must be postgresql" $off) -}}
{{- end -}}
{{- end -}}
{{- /* Of another name no series would be found, and no alert would ever fire. */ -}}
{{- if and (or $monitoring.prometheusRule.enabled $monitoring.dashboards.enabled) (not (contains (printf "%s_training_queue_jobs" $prefix) (.Files.Get "rules/training.yml"))) -}}
{{- fail (printf "settings.PROMETHEUS__METRIC_NAMESPACE and _SUBSYSTEM name the metrics %s_*, and the chart's rules and dashboards ask for others: make them anew with npm run monitoring:generate under the same settings, or switch monitoring.prometheusRule and monitoring.dashboards off" $prefix) -}}
{{- end -}}
{{- end -}}

{{- define "mlops-backend.checkScaling" -}}
{{- range $role, $values := dict "api" .Values.api "worker" .Values.worker -}}
{{- with $values.autoscaling -}}
{{- if and .enabled (lt (int .maxReplicas) (int .minReplicas)) -}}
{{- fail (printf "%s.autoscaling.maxReplicas is less than minReplicas" $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
