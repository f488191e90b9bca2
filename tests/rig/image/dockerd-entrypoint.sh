#!/bin/sh
# Entrypoint of the rig's dind images. It keeps the official images' contract:
# without arguments, or with flags only, it makes what certificates are missing
# and starts dockerd with the default listeners; with `dockerd ...` it starts
# just that; anything else is left to the docker image's entrypoint.
set -eu

tls=${DOCKER_TLS_CERTDIR:-}
days=825

# Which certificates somebody else takes care of. The official images changed
# this in February 2023; @RULE@ is the generation of this image.
provided() {
    [ -s "$tls/ca/key.pem" ] && return 1
    # shellcheck disable=SC2050 # replaced as the image is built
    if [ @RULE@ = old ]; then
        [ -s "$tls/ca/cert.pem" ]
    else
        [ -s "$tls/ca/cert.pem" ] || {
            [ -s "$tls/server/ca.pem" ] && [ -s "$tls/server/cert.pem" ] && [ -s "$tls/server/key.pem" ]
        }
    fi
}

alternative_names() {
    {
        for ip in $(hostname -I) 127.0.0.1; do echo "IP:$ip"; done
        for name in $(cat /etc/hostname) $(hostname -f 2>/dev/null || :) docker localhost; do
            echo "DNS:$name"
        done
        if [ -n "${DOCKER_TLS_SAN:-}" ]; then echo "$DOCKER_TLS_SAN"; fi
    } | sort -u | paste -sd ,
}

# private_key FILE
private_key() {
    [ -s "$1" ] || openssl genrsa -out "$1" 4096
}

# signed_by_ca NAME EXTENSION: certificate of the server or of the client
signed_by_ca() {
    mkdir -p "$tls/$1"
    private_key "$tls/$1/key.pem"
    openssl req -new -key "$tls/$1/key.pem" -out "$tls/$1/csr.pem" -subj "/CN=docker:dind $1"
    printf '[ extensions ]\n%s\n' "$2" >"$tls/$1/openssl.cnf"
    openssl x509 -req -in "$tls/$1/csr.pem" -CA "$tls/ca/cert.pem" -CAkey "$tls/ca/key.pem" \
        -CAcreateserial -out "$tls/$1/cert.pem" -days "$days" \
        -extfile "$tls/$1/openssl.cnf" -extensions extensions
    cp "$tls/ca/cert.pem" "$tls/$1/ca.pem"
    openssl verify -CAfile "$tls/$1/ca.pem" "$tls/$1/cert.pem"
}

certificates() {
    if provided; then
        openssl verify -CAfile "$tls/server/ca.pem" "$tls/server/cert.pem"
        return
    fi
    mkdir -p "$tls/ca"
    private_key "$tls/ca/key.pem"
    openssl req -new -x509 -key "$tls/ca/key.pem" -out "$tls/ca/cert.pem" -days "$days" \
        -subj '/CN=docker:dind CA' -addext keyUsage=critical,digitalSignature,keyCertSign
    signed_by_ca server "extendedKeyUsage = serverAuth
subjectAltName = $(alternative_names)"
    signed_by_ca client 'extendedKeyUsage = clientAuth'
    # Read by job containers whose user is not root.
    chmod 0644 "$tls/client/key.pem"
}

# Rules that are in the kernel's old tables already would be hidden from nft.
choose_iptables() {
    legacy=no
    if [ -n "${DOCKER_IPTABLES_LEGACY+set}" ]; then
        [ -z "$DOCKER_IPTABLES_LEGACY" ] || legacy=yes
    else
        for tables in /proc/net/ip_tables_names /proc/net/ip6_tables_names /proc/net/arp_tables_names; do
            if [ -n "$(cat "$tables" 2>/dev/null)" ]; then legacy=yes; fi
        done
        iptables -nL >/dev/null 2>&1 || legacy=yes
    fi
    if [ "$legacy" = yes ]; then PATH=/usr/local/sbin/.iptables-legacy:$PATH; fi
    iptables --version
}

move_down() {
    while read -r pid; do
        { echo "$pid" >/sys/fs/cgroup/init/cgroup.procs; } 2>/dev/null || :
    done </sys/fs/cgroup/cgroup.procs
}

allow_limits() {
    sed 's/ / +/g; s/^/+/' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
}

# What a container lacks that dockerd wants to find on a machine.
become_a_machine() {
    export container=docker
    if [ -d /sys/kernel/security ] && ! mountpoint -q /sys/kernel/security; then
        mount -t securityfs none /sys/kernel/security 2>/dev/null || :
    fi
    mountpoint -q /tmp || mount -t tmpfs none /tmp
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        # A version 2 group that has processes of its own can hold no limits for
        # others: move them down, again while an exec puts new ones in.
        mkdir -p /sys/fs/cgroup/init
        until move_down && allow_limits 2>/dev/null; do sleep 0.01; done
    fi
    mount --make-rshared /
}

case ${1-} in
    '' | -*)
        socket=unix:///var/run/docker.sock
        case ${DOCKER_HOST:-} in unix://*) socket=$DOCKER_HOST ;; esac
        if [ -n "$tls" ]; then
            certificates
            set -- --host=tcp://0.0.0.0:2376 --tlsverify --tlscacert "$tls/server/ca.pem" \
                --tlscert "$tls/server/cert.pem" --tlskey "$tls/server/key.pem" "$@"
        else
            set -- --host=tcp://0.0.0.0:2375 "$@"
        fi
        set -- dockerd --host="$socket" "$@"
        ;;
esac

if [ "$1" != dockerd ]; then
    exec docker-entrypoint.sh "$@"
fi
rm -f /run/docker*.pid /var/run/docker*.pid
choose_iptables
become_a_machine
exec docker-init -- "$@"
