#!/bin/sh
# Entrypoint of the rig's docker images. It keeps the official images' contract:
# a bare docker subcommand is run by docker, and DOCKER_HOST is guessed from what
# is there. A process started by `docker exec` sees nothing of it.
set -eu

client_certificates() {
    [ -n "${DOCKER_TLS_CERTDIR:-}" ] \
        && [ -s "$DOCKER_TLS_CERTDIR/client/ca.pem" ] \
        && [ -s "$DOCKER_TLS_CERTDIR/client/cert.pem" ] \
        && [ -s "$DOCKER_TLS_CERTDIR/client/key.pem" ]
}

case ${1-} in
    -*) set -- docker "$@" ;;
    ?*) if docker help "$1" >/dev/null 2>&1; then set -- docker "$@"; fi ;;
esac

if [ -z "${DOCKER_HOST:-}" ] && [ ! -S /var/run/docker.sock ]; then
    rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
    if [ -S "$rootless" ]; then
        export DOCKER_HOST="unix://$rootless"
    elif client_certificates || [ -n "${DOCKER_TLS_VERIFY:-}" ]; then
        export DOCKER_HOST=tcp://docker:2376
    else
        export DOCKER_HOST=tcp://docker:2375
    fi
fi

case ${DOCKER_HOST:-} in
    tcp:*)
        if [ -z "${DOCKER_TLS_VERIFY:-}" ] && [ -z "${DOCKER_CERT_PATH:-}" ] && client_certificates; then
            export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$DOCKER_TLS_CERTDIR/client"
        fi
        ;;
esac

exec "$@"
