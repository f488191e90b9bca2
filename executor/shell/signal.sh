# shellcheck shell=sh
# Signals all processes of the running script, as if at one moment.  After our_processes.sh.
#
# $_d       the directory of the keeper, which noted there what was running before any script
# $_elsewhere  its directory where it is not in that one
# $_signal  the signal's name

# They are halted first.  A shell that sees its child end before it gets the signal itself goes on
# and starts the next one, whose end it then waits for before it acts on the signal.
# shellcheck disable=SC2154 # it is given
[ -e "$_d/processes" ] || _d=$_elsewhere
IFS= read -r _keep <"$_d/processes"
_found=
_again=1
while [ -n "$_again" ]; do
  _again=
  for _p in /proc/[0-9]*; do
    _p=${_p#/proc/}
    case " $_keep $$ $_found" in
      *" $_p "*) ;;
      *)
        if ours "$_p"; then
          kill -STOP "$_p" 2>/dev/null && _again=1
          _found="$_found$_p "
        fi ;;
    esac
  done
done
# shellcheck disable=SC2086,SC2154 # one argument for each process; the signal is given
kill "-$_signal" $_found 2>/dev/null
# shellcheck disable=SC2086
kill -CONT $_found 2>/dev/null
