"""Shell that tells a script's processes from those of the image's entrypoint, and ends them.

It runs in the build and the helper container: in the keeper, and in an exec that signals a script.
"""

DIRECTORY = "/run/dind-executor"
"""A tmpfs in every build and helper container: never on disk, never in `docker inspect`."""

# What runs now belongs to the image's entrypoint and stays; what a script leaves behind goes.
MARK_PROCESSES = """\
_keep=" "
for _p in /proc/[0-9]*; do _keep="$_keep${_p#/proc/} "; done
_kept=$_keep
printf '%s\\n' "$_keep" >"$_d/processes"
"""

# Processes that share a PID namespace with others are told by their cgroups, which a container's
# own ones have in common.  Seen from the container, another's may lead through its parent.  Where
# a container has no cgroup of its own, no process counts as its own.
TELL_OURS = """\
path() {
  _g=
  while IFS= read -r _l; do
    case $_l in *:memory:*|*:pids:*|0::*) _g=${_l#*:*:}; break ;; esac
  done <"/proc/$1/cgroup"
} 2>/dev/null
ours() {
  path "$1"
  _b=${_own%/}
  case $_g in "$_own"|"$_b"/*) ;; *) return 1 ;; esac
  case ${_g#"$_b"} in /..|/../*) return 1 ;; esac
}
"""
ALL_OURS = "ours() { :; }\n"
MARK_OURS = """\
path "$$"
_own=${_g:--}
case $_own in /) path 1; case $_g in /..*) ;; *) _own=- ;; esac ;; esac
"""

# Another user's process may be one that the keeper may not end; one that is dead already and waits
# for its parent does no harm.
END_PROCESSES = """\
  _again=1
  _left=
  while [ -n "$_again" ]; do
    _again=
    for _p in /proc/[0-9]*; do
      _p=${_p#/proc/}
      case "$_keep" in *" $_p "*) continue ;; esac
      _keep="$_keep$_p "
      ours "$_p" || continue
      if kill -9 "$_p" 2>/dev/null; then
        _again=1
      elif { IFS= read -r _l <"/proc/$_p/stat"; } 2>/dev/null; then
        case $_l in *") Z "*) ;; *) _left=" left" ;; esac
      fi
    done
  done
  _keep=$_kept
"""


def signaller(signal: str, *, shares_pids: bool = False) -> tuple[str, ...]:
    """Return the command that signals all processes of the running script, as if at one moment.

    They are halted first.  A shell that sees its child end before it gets the signal itself goes
    on and starts the next one, whose end it then waits for before it acts on the signal.

    `shares_pids` tells whether the container sees processes that are not its own.  It is not for
    the container to say: its user may be root, and a script may write to the keeper's notes.
    """
    tell = TELL_OURS + MARK_OURS if shares_pids else ALL_OURS
    return (
        "sh",
        "-c",
        f"""\
IFS= read -r _keep <{DIRECTORY}/processes
{tell}_found=
_again=1
while [ -n "$_again" ]; do
  _again=
  for _p in /proc/[0-9]*; do
    _p=${{_p#/proc/}}
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
kill -{signal} $_found 2>/dev/null
kill -CONT $_found 2>/dev/null
""",
    )
