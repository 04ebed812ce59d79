{{- /* The pod of a command that asks the server. Called with a list: the root, the arguments as a list, the resources. */}}
{{- define "optimize-backup.clientPod" -}}
{{- $ := index . 0 }}
{{- $arguments := index . 1 }}
{{- $resources := index . 2 }}
{{- $values := $.Values }}
{{- $token := and $values.tokens.existingSecret $values.tokens.operatorKey -}}
restartPolicy: Never
automountServiceAccountToken: false
serviceAccountName: {{ include "optimize-backup.serviceAccountName" $ }}
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: client
    image: {{ include "optimize-backup.image" $ | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args:
      {{- toYaml $arguments | nindent 6 }}
      {{- if $values.tls.existingSecret }}
      - --ca-file
      - /run/secrets/tls/{{ $values.tls.caKey }}
      {{- end }}
    env:
      - name: OPTIMIZE_BACKUP_URL
        value: {{ printf "%s://%s:%v" (include "optimize-backup.scheme" $) (include "optimize-backup.host" $) $values.service.port | quote }}
      {{- if $token }}
      - name: OPTIMIZE_BACKUP_TOKEN_FILE
        value: /run/secrets/tokens/{{ $token }}
      {{- end }}
    securityContext: {{- toYaml $values.securityContext | nindent 6 }}
    resources: {{- toYaml $resources | nindent 6 }}
    {{- if or $values.tls.existingSecret $token }}
    volumeMounts:
      {{- if $values.tls.existingSecret }}
      - name: tls
        mountPath: /run/secrets/tls
        readOnly: true
      {{- end }}
      {{- if $token }}
      - name: tokens
        mountPath: /run/secrets/tokens
        readOnly: true
      {{- end }}
    {{- end }}
{{- if or $values.tls.existingSecret $token }}
volumes:
  {{- if $values.tls.existingSecret }}
  - name: tls
    secret:
      secretName: {{ $values.tls.existingSecret | quote }}
      defaultMode: 0440
      items:
        - key: {{ $values.tls.caKey | quote }}
          path: {{ $values.tls.caKey | quote }}
  {{- end }}
  {{- if $token }}
  - name: tokens
    secret:
      secretName: {{ $values.tokens.existingSecret | quote }}
      defaultMode: 0440
      items:
        - key: {{ $token | quote }}
          path: {{ $token | quote }}
  {{- end }}
{{- end }}
{{- end }}
