#!/bin/sh
# Writes traefik.yml and routes.yml into the working directory. Traefik reads either a file or the environment, so what
# comes from the environment becomes a part of the file here.
set -eu
LC_ALL=C
folder=$(dirname "$0")

refuse() {
    echo "$1" >&2
    exit 1
}

# Nothing that ends a word of YAML, or is a command to sed, gets further than this.
receiver=${OTEL_EXPORTER_OTLP_ENDPOINT:-}
share=1
if [ -n "$receiver" ]; then
    case $receiver in
        *[!0-9A-Za-z.:/@%_~+=-]*) valid=no ;;
        http://?* | https://?*) valid=yes ;;
        *) valid=no ;;
    esac
    [ $valid = yes ] ||
        refuse "OTEL_EXPORTER_OTLP_ENDPOINT must be http://host:4318 or https://..., with special characters as in %40"
    case ${OTEL_TRACES_SAMPLER:-} in
        *traceidratio) share=${OTEL_TRACES_SAMPLER_ARG:-1} ;;
        *always_off) share=0 ;;
    esac
    case $share in
        *[!0-9.]* | *.*.*) valid=no ;;
        0 | 1 | 1.0 | 0.[0-9]*) valid=yes ;;
        *) valid=no ;;
    esac
    [ $valid = yes ] || refuse "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, such as 0.1"
fi

cat "$folder/traefik.yml" > traefik.yml
cat "$folder/routes.yml" > routes.yml
[ -n "$receiver" ] || exit 0
echo >> traefik.yml
sed -e "s|{receiver}|${receiver%/}|" -e "s|{share}|$share|" "$folder/tracing.yml" >> traefik.yml
