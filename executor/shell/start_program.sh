# shellcheck shell=sh
# Becomes the program in "$@".
#
# $_keeps_stdin  whether the rest of stdin is that program's

# shellcheck disable=SC2154 # it is given
[ -n "$_keeps_stdin" ] || exec </dev/null
exec "$@"
