# shellcheck shell=sh
# Ends with 0 where no process of the container has a command among its arguments any more.
#
# $_first, $_second  what stands in the command, in two parts: this program is no such process

_found=
for _p in /proc/[0-9]*/cmdline; do
  [ -r "$_p" ] || continue
  while IFS= read -r _l || [ -n "$_l" ]; do
    _found=1
    # shellcheck disable=SC2154 # it is given
    case $_l in *"$_first$_second"*) exit 1 ;; esac
  done <"$_p"
done 2>/dev/null
[ -n "$_found" ]
