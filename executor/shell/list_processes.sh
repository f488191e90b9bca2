# shellcheck shell=sh
# Prints the arguments of all processes of the container, each behind a line of our own.
#
# $_mark  that line
# $_end   what comes last, as another line

for _p in /proc/[0-9]*/cmdline; do
  # shellcheck disable=SC2154 # it is given
  printf '\n%s\n' "$_mark"
  cat "$_p"
done 2>/dev/null
# shellcheck disable=SC2154 # it is given
printf '\n%s\n' "$_end"
