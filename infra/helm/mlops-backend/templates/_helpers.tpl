{{- define "mlops-backend.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* 50 characters: the longest suffix of ours must fit into the 63 of a label. */}}
{{- define "mlops-backend.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "mlops-backend.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "mlops-backend.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Never with a version: selectors can't be changed by an upgrade. */}}
{{- define "mlops-backend.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mlops-backend.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The pod of `helm test`: not the name of the others, since neither Service nor NetworkPolicy means it. */}}
{{- define "mlops-backend.testLabels" -}}
app.kubernetes.io/name: {{ include "mlops-backend.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* It is let in wherever others are kept out. */}}
{{- define "mlops-backend.testPod" -}}
- podSelector:
    matchLabels:
      {{- include "mlops-backend.testLabels" . | nindent 6 }}
{{- end -}}

{{- define "mlops-backend.labels" -}}
{{ include "mlops-backend.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "mlops-backend.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "mlops-backend.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mlops-backend.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mlops-backend.secretName" -}}
{{- default (include "mlops-backend.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- define "mlops-backend.claimName" -}}
{{- default (printf "%s-files" (include "mlops-backend.fullname" .)) .Values.storage.local.existingClaim -}}
{{- end -}}

{{/* The environment name of each value under `secrets`. */}}
{{- define "mlops-backend.secretNames" -}}
databaseUrl: DATABASE_URL
apiKeys: API_KEYS
metricsBearerToken: METRICS_BEARER_TOKEN
s3AccessKeyId: S3__ACCESS_KEY_ID
s3SecretAccessKey: S3__SECRET_ACCESS_KEY
otlpHeaders: OTEL_EXPORTER_OTLP_HEADERS
otlpTracesHeaders: OTEL_EXPORTER_OTLP_TRACES_HEADERS
otlpLogsHeaders: OTEL_EXPORTER_OTLP_LOGS_HEADERS
otlpMetricsHeaders: OTEL_EXPORTER_OTLP_METRICS_HEADERS
{{- end -}}

{{/* Environment name to key of the Secret, for those that there are. */}}
{{- define "mlops-backend.secretKeys" -}}
{{- $secrets := .Values.secrets -}}
{{- $keys := dict -}}
{{- range $value, $name := include "mlops-backend.secretNames" . | fromYaml -}}
{{- if $secrets.existingSecret -}}
{{- with index $secrets.existingKeys $value }}{{ $_ := set $keys $name . }}{{ end -}}
{{- else if index $secrets $value -}}
{{- $_ := set $keys $name $name -}}
{{- end -}}
{{- end -}}
{{- toYaml $keys -}}
{{- end -}}

{{/* What PROMETHEUS__METRIC_NAMESPACE and _SUBSYSTEM make of it; rules and dashboards are generated for the default. */}}
{{- define "mlops-backend.metricPrefix" -}}
{{- printf "%s_%s" (default "mlops" .Values.settings.PROMETHEUS__METRIC_NAMESPACE) (default "backend" .Values.settings.PROMETHEUS__METRIC_SUBSYSTEM) -}}
{{- end -}}

{{- define "mlops-backend.metricsPath" -}}
{{- default "/metrics" .Values.settings.PROMETHEUS__METRICS_PATH -}}
{{- end -}}

{{/*
From SIGTERM, or the pause before it, to SIGKILL. The service is gone within its grace and 5 s, or 13 s where the way to
PostgreSQL is cut (docs/operations.md), and the last spans and log lines are sent: 20 s more than the grace hold all of
that on a busy node too. Killed earlier, a training would be found only by its missing heartbeat, and its attempt would
count.
*/}}
{{- define "mlops-backend.terminationGraceSeconds" -}}
{{- add (ceil .shutdownGraceSeconds) (default 0 .preStopSleepSeconds) 20 -}}
{{- end -}}

{{/* The setting by which there is no telemetry; empty: there is. As the service reads it: true in any case of the word. */}}
{{- define "mlops-backend.telemetryOffBy" -}}
{{- if eq (toString .Values.settings.OTEL_SDK_DISABLED | trim | lower) "true" -}}
settings.OTEL_SDK_DISABLED is {{ .Values.settings.OTEL_SDK_DISABLED | quote }}
{{- end -}}
{{- end -}}

{{/* The setting by which there is nothing to scrape; empty: there is. */}}
{{- define "mlops-backend.metricsOffBy" -}}
{{- if eq (toString .Values.settings.PROMETHEUS__ENABLED) "false" -}}
settings.PROMETHEUS__ENABLED is "false"
{{- else if not (has "prometheus" (splitList "," (nospace (toString (default "prometheus" .Values.settings.OTEL_METRICS_EXPORTER))))) -}}
settings.OTEL_METRICS_EXPORTER is {{ .Values.settings.OTEL_METRICS_EXPORTER | quote }}
{{- else -}}
{{- include "mlops-backend.telemetryOffBy" . -}}
{{- end -}}
{{- end -}}
