# shellcheck shell=sh
# Puts runc.sh before the real `runc` on the PATH, and lets dockerd itself trust the authorities.
#
# $_d  the directory with `authorities.pem` and `runc.sh`
# shellcheck disable=SC2154 # it is given

if [ -s "$_d/authorities.pem" ] && _runc=$(command -v runc); then
  mkdir -p "$_d/bin" "$_d/made"
  {
    printf '#!/bin/sh\n_runc=%s\n' "$_runc"
    cat "$_d/runc.sh"
  } >"$_d/bin/runc"
  chmod 0755 "$_d/bin/runc"
  PATH=$_d/bin:$PATH
  export PATH
  # What registries and proxies show is verified by dockerd; of several files Go reads one only.
  for _f in /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /dev/null; do
    if [ -s "$_f" ] || [ "$_f" = /dev/null ]; then
      cat "$_f" "$_d/authorities.pem" >"$_d/ca.pem"
      break
    fi
  done
  : "${SSL_CERT_FILE:=$_d/ca.pem}"
  export SSL_CERT_FILE
else
  echo "dind-executor: without runc on the PATH, builds do not trust the private authorities" >&2
fi
