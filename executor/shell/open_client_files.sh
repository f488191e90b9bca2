# shellcheck shell=sh
# Lets any user of a container inside read the client's certificates: the files of a sidecar come under
# the umask of what is private.
#
# $_client  their directory; empty on plain TCP

# shellcheck disable=SC2154 # what is given
if [ -d "$_client" ]; then
  chmod 0755 "$_client"
  chmod 0644 "$_client"/*.pem
fi 2>/dev/null
