{{/*
The pod of a role. Called with a dict of root (the chart's context), role (api or worker) and values (of that role).
*/}}
{{- define "mlops-backend.pod" -}}
{{- $root := .root -}}
{{- $monitoring := $root.Values.monitoring -}}
metadata:
  labels:
    {{- include "mlops-backend.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # The settings are read at start: without these a change of theirs would reach no process.
    checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
    checksum/secret: {{ toJson $root.Values.secrets | sha256sum }}
    {{- if $monitoring.annotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ $monitoring.port | quote }}
    prometheus.io/path: {{ include "mlops-backend.metricsPath" $root }}
    {{- end }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "mlops-backend.serviceAccountName" $root }}
  automountServiceAccountToken: false
  # Service links put NAME_PORT and such of every Service into the environment.
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "mlops-backend.terminationGraceSeconds" .values }}
  securityContext:
    {{- include "mlops-backend.podSecurityContext" $root | nindent 4 }}
  initContainers:
    # Without a probe, so that a long migration is not killed half-way. Each pod asks; an advisory lock lets one work.
    - name: migrate
      image: {{ include "mlops-backend.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [node, src/commands/migrate.ts]
      {{- include "mlops-backend.environment" . | nindent 6 }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
  containers:
    - name: {{ .role }}
      image: {{ include "mlops-backend.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [node, --import, ./otel/register, src/main.ts]
      {{- include "mlops-backend.environment" . | nindent 6 }}
      ports:
        - name: http
          containerPort: 8000
        - name: metrics
          containerPort: {{ $monitoring.port }}
      startupProbe:
        httpGet: &live
          path: /api/health/live
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: {{ ceil (divf .values.startupSeconds 5) }}
      # Patient: a database that is away is no reason to restart, and neither is a busy minute.
      livenessProbe:
        httpGet: *live
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /api/health/ready
          port: http
        periodSeconds: 5
        timeoutSeconds: 5 # each of its checks has 2 s
        failureThreshold: 2
      {{- with .values.preStopSleepSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    - name: data
      {{- if eq $root.Values.storage.backend "local" }}
      persistentVolumeClaim:
        claimName: {{ include "mlops-backend.claimName" $root }}
      {{- else }}
      emptyDir:
        sizeLimit: {{ $root.Values.storage.scratchSize }}
      {{- end }}
    - name: secrets
      secret:
        secretName: {{ include "mlops-backend.secretName" $root }}
        defaultMode: 0440
        items:
          {{- range $name, $key := include "mlops-backend.secretKeys" $root | fromYaml }}
          - key: {{ $key }}
            path: {{ $name }}
          {{- end }}
    {{- with $root.Values.caCertificates }}
    {{- if .configMap }}
    - name: ca
      configMap:
        name: {{ .configMap }}
        items:
          - key: {{ .key }}
            path: ca.pem
    {{- end }}
    {{- end }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      # Not DoNotSchedule: two on one node are better than one.
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "mlops-backend.selectorLabels" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.role }}
      # Only pods of one version are spread, else those that are about to go would count.
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* What PodSecurity `restricted` asks of a pod, and of each container below. */}}
{{- define "mlops-backend.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
# The secret's files and the volumes belong to this group.
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "mlops-backend.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Settings, mounts and rights, the same for the migration and the role. */}}
{{- define "mlops-backend.environment" -}}
envFrom:
  - configMapRef:
      name: {{ include "mlops-backend.fullname" .root }}
env:
  - name: SERVICE_ROLE
    value: {{ .role }}
  - name: SHUTDOWN_GRACE_SECONDS
    value: {{ .values.shutdownGraceSeconds | toString | quote }}
  {{- with .values.trainingConcurrency }}
  - name: TRAINING_CONCURRENCY
    value: {{ . | toString | quote }}
  {{- end }}
  {{- if .root.Values.caCertificates.configMap }}
  - name: NODE_EXTRA_CA_CERTS
    value: /etc/mlops-backend/ca.pem
  {{- end }}
  {{- range $name, $value := .values.settings }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: data
    mountPath: /data
  - name: secrets
    mountPath: /run/secrets/mlops-backend
    readOnly: true
  {{- if .root.Values.caCertificates.configMap }}
  - name: ca
    mountPath: /etc/mlops-backend
    readOnly: true
  {{- end }}
securityContext:
  {{- include "mlops-backend.containerSecurityContext" .root | nindent 2 }}
{{- end -}}
