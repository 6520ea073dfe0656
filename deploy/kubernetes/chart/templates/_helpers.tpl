{{/* The name of everything in this release; parts append their own. */}}
{{- define "platform.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels by which a part is selected. Call with (list $ "tasks"). */}}
{{- define "platform.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of a part. Call with (list $ "tasks"). */}}
{{- define "platform.labels" -}}
{{- $root := index . 0 -}}
{{ include "platform.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The image of a part of ours. Call with (list $ "tasks"). */}}
{{- define "platform.image" -}}
{{- $root := index . 0 -}}
{{- printf "%s/%s:%s" $root.Values.image.repository (index . 1) ($root.Values.image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}

{{/* The URL of a part inside the cluster. Call with (list $ "tasks" 8000). */}}
{{- define "platform.url" -}}
{{- printf "http://%s-%s:%d" (include "platform.name" (index . 0)) (index . 1) (index . 2 | int) -}}
{{- end -}}

{{/* One variable whose value is a key of the Secret. Call with (dict "root" $ "name" "NAME" "key" "KEY" "optional" true). */}}
{{- define "platform.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.existingSecret }}
      key: {{ .key | default .name }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{/* The variables of a process that sends traces. */}}
{{- define "platform.tracing" -}}
{{- with .Values.tracing -}}
{{- if .endpoint -}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ divf .samplingPercent 100 | quote }}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The port of a URL, also if it is the default one of its scheme. */}}
{{- define "platform.urlPort" -}}
{{- $url := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}

{{/* What every pod has, whatever runs in it: a user without rights, no token for the API of Kubernetes, and its place. */}}
{{- define "platform.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "platform.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* Pods of one part on several nodes and zones, if there are several: never a reason to leave one waiting. */}}
{{- define "platform.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "platform.selector" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{/*
How many pods, and how one replaces another. Call with (list $ "tasks" .Values.tasks).
With autoscaling an upgrade keeps the number that there is: without one, Kubernetes would take all pods but one away.
*/}}
{{- define "platform.rollout" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- if not (dig "autoscaling" "enabled" false $values) }}
replicas: {{ $values.replicas }}
{{- else }}
{{- $name := printf "%s-%s" (include "platform.name" $root) (index . 1) }}
{{- with lookup "apps/v1" "Deployment" $root.Release.Namespace $name }}
replicas: {{ .spec.replicas }}
{{- end }}
{{- end }}
revisionHistoryLimit: 3
strategy:
  rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- end -}}

{{/* The part of the public URL that is a host name. */}}
{{- define "platform.host" -}}
{{- (urlParse .Values.publicUrl).hostname -}}
{{- end -}}

{{/* Three quarters of a quantity of memory, in bytes: what a Go program may use before it collects garbage as often as it takes. */}}
{{- define "platform.goMemoryLimit" -}}
{{- $factors := dict "" 1 "m" 0.001 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $unit := regexFind "[A-Za-z]*$" (toString .) -}}
{{- mulf (toString . | trimSuffix $unit) (get $factors $unit) 0.75 | int64 -}}
{{- end -}}

{{/* The files of certificates.existingSecret in a container of ours, and the volume that they come from. */}}
{{- define "platform.certificateMounts" -}}
{{- if .Values.certificates.existingSecret -}}
volumeMounts:
  - {name: certificates, mountPath: /certificates, readOnly: true}
{{- end -}}
{{- end -}}

{{- define "platform.certificateVolumes" -}}
{{- with .Values.certificates.existingSecret -}}
volumes:
  - name: certificates
    secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end -}}
{{- end -}}
