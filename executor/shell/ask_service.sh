# shellcheck shell=sh
# Ends with 0 where a service accepts connections: at the address $0, on one of the ports "$@".

# Not every bash has /dev/tcp, and not every nc has -z.
limit=
if timeout 1 true 2>/dev/null; then limit="timeout 2"; fi
# shellcheck disable=SC2016,SC2086 # bash expands; a limit is two words
for port in "$@"; do
  $limit bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$0" "$port" 2>/dev/null && exit 0
  $limit nc -z "$0" "$port" 2>/dev/null && exit 0
done
exit 1
