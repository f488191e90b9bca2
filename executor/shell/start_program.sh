# shellcheck shell=sh
# Becomes the program in "$@".  After receive_files.sh.
#
# $_keeps_stdin  whether the rest of stdin is that program's

# shellcheck disable=SC2154 # what is given
if [ -z "$_keeps_stdin" ]; then
  printf '%s %s %s\n' dind-executor: "$_me" 'has its files'
  exec </dev/null
fi
[ -z "$_traced" ] || set "-$_traced"
exec "$@"
