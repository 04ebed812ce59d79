{{- define "optimize-backup.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Shorter than 63 letters: a CronJob's name has 52 at most, and what is appended is 7. */}}
{{- define "optimize-backup.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "optimize-backup.selectorLabels" -}}
app.kubernetes.io/name: {{ include "optimize-backup.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "optimize-backup.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "optimize-backup.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "optimize-backup.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "optimize-backup.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "optimize-backup.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "optimize-backup.scheme" -}}
{{ ternary "https" "http" (not (empty .Values.tls.existingSecret)) }}
{{- end }}

{{- /* The name by which the certificate should know the service. */}}
{{- define "optimize-backup.host" -}}
{{ include "optimize-backup.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{- /* The pods that ask the server: not selected by the service. */}}
{{- define "optimize-backup.clientLabels" -}}
app.kubernetes.io/name: {{ include "optimize-backup.name" . }}-client
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* What a probe asks. Called with a list: the root, and liveness or readiness. */}}
{{- define "optimize-backup.probe" -}}
{{- $ := index . 0 -}}
httpGet:
  path: /actuator/health/{{ index . 1 }}
  port: management
  scheme: {{ include "optimize-backup.scheme" $ | upper }}
{{- end }}
