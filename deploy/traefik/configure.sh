#!/bin/sh
# Writes traefik.yml and routes.yml into the working directory. Traefik reads either a file or the environment, so what
# comes from the environment becomes a part of the file here.
set -eu
folder=$(dirname "$0")
cat "$folder/traefik.yml" > traefik.yml
cat "$folder/routes.yml" > routes.yml
receiver=${OTEL_EXPORTER_OTLP_ENDPOINT:-}
[ -n "$receiver" ] || exit 0
case ${OTEL_TRACES_SAMPLER:-} in
    *traceidratio) share=${OTEL_TRACES_SAMPLER_ARG:-1} ;;
    *always_off) share=0 ;;
    *) share=1 ;;
esac
echo >> traefik.yml
sed -e "s|{receiver}|${receiver%/}|" -e "s|{share}|$share|" "$folder/tracing.yml" >> traefik.yml
