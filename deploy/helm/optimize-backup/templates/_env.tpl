{{- /* The environment of the server. Which variables those are depends on the database. */}}
{{- define "optimize-backup.env" -}}
{{- $engine := .Values.searchEngine }}
{{- $opensearch := eq $engine.database "opensearch" }}
{{- $block := printf "CAMUNDA_OPTIMIZE_%s" (upper $engine.database) -}}
- name: CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE
  value: {{ .Values.completeState | quote }}
- name: CAMUNDA_OPTIMIZE_DATABASE
  value: {{ $engine.database | quote }}
- name: {{ ternary "CAMUNDA_OPTIMIZE_OPENSEARCH_HOST" "OPTIMIZE_ELASTICSEARCH_HOST" $opensearch }}
  value: {{ $engine.host | quote }}
- name: {{ ternary "CAMUNDA_OPTIMIZE_OPENSEARCH_HTTP_PORT" "OPTIMIZE_ELASTICSEARCH_HTTP_PORT" $opensearch }}
  value: {{ $engine.port | quote }}
- name: {{ $block }}_SETTINGS_INDEX_PREFIX
  value: {{ $engine.indexPrefix | quote }}
- name: CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME
  value: {{ .Values.repositoryName | quote }}
{{- if $engine.username }}
- name: {{ $block }}_SECURITY_USERNAME
  value: {{ $engine.username | quote }}
{{- end }}
{{- if $engine.passwordSecret.name }}
- name: {{ $block }}_SECURITY_PASSWORD_FILE
  value: /run/secrets/search-engine-password/{{ $engine.passwordSecret.key }}
{{- end }}
{{- if $engine.apiKeySecret.name }}
- name: {{ $block }}_SECURITY_API_KEY_FILE
  value: /run/secrets/search-engine-api-key/{{ $engine.apiKeySecret.key }}
{{- end }}
{{- if $engine.tls.enabled }}
- name: {{ $block }}_SSL_ENABLED
  value: "true"
{{- end }}
{{- if $engine.tls.caSecret.name }}
- name: {{ $block }}_SECURITY_SSL_CERTIFICATE_AUTHORITIES
  value: /run/secrets/search-engine-ca/{{ $engine.tls.caSecret.key }}
{{- end }}
{{- if $engine.aws }}
- name: CAMUNDA_OPTIMIZE_OPENSEARCH_AWS_ENABLED
  value: "true"
{{- end }}
- name: CAMUNDA_OPTIMIZE_BACKUP_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
- name: CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
{{- with .Values.timeZone }}
- name: TZ
  value: {{ . | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: MANAGEMENT_SERVER_SSL_CERTIFICATE
  value: /run/secrets/tls/{{ .Values.tls.certificateKey }}
- name: MANAGEMENT_SERVER_SSL_CERTIFICATE_PRIVATE_KEY
  value: /run/secrets/tls/{{ .Values.tls.privateKeyKey }}
{{- end }}
{{- if .Values.tls.clientAuthority.existingSecret }}
- name: MANAGEMENT_SERVER_SSL_TRUST_CERTIFICATE
  value: /run/secrets/client-authority/{{ .Values.tls.clientAuthority.key }}
{{- end }}
{{- if .Values.tokens.existingSecret }}
{{- range $role := list "reader" "operator" "admin" }}
{{- with index $.Values.tokens (printf "%sKey" $role) }}
- name: CAMUNDA_OPTIMIZE_BACKUP_{{ upper $role }}_TOKEN_FILE
  value: /run/secrets/tokens/{{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where a secret is mounted, by the folder's name. */}}
{{- define "optimize-backup.secretFolders" -}}
{{- $engine := .Values.searchEngine }}
{{- with $engine.passwordSecret.name }}
search-engine-password: {{ . | quote }}
{{- end }}
{{- with $engine.apiKeySecret.name }}
search-engine-api-key: {{ . | quote }}
{{- end }}
{{- with $engine.tls.caSecret.name }}
search-engine-ca: {{ . | quote }}
{{- end }}
{{- with .Values.tls.existingSecret }}
tls: {{ . | quote }}
{{- end }}
{{- with .Values.tls.clientAuthority.existingSecret }}
client-authority: {{ . | quote }}
{{- end }}
{{- with .Values.tokens.existingSecret }}
tokens: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* The ConfigMap with the file for --config, or nothing. */}}
{{- define "optimize-backup.configMap" -}}
{{- if .Values.existingConfigMap.name }}
{{- .Values.existingConfigMap.name }}
{{- else if .Values.config }}
{{- include "optimize-backup.fullname" . }}
{{- end }}
{{- end }}
