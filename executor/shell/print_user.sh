# shellcheck shell=sh
# Prints user and group of its process as the kernel has them: an image need not have `id`, nor an
# honest one.

# shellcheck disable=SC2034,SC2162 # the words between are passed over; there is no backslash
while read -r _k _u _e _r; do
  case $_k in Uid: | Gid:) printf '%s ' "$_e" ;; esac
done </proc/self/status
