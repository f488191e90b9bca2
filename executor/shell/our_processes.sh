# shellcheck shell=sh
# Tells the processes of this container from others that it sees: `ours PID`.
#
# $_shared  whether it sees any others

# Processes that share a PID namespace are told by their cgroups, which a container's own ones have
# in common.  Seen from the container, another's may lead through its parent.
path() {
  _g=
  while IFS= read -r _l; do
    case $_l in *:memory:* | *:pids:* | 0::*) _g=${_l#*:*:}; break ;; esac
  done <"/proc/$1/cgroup"
} 2>/dev/null

# Where a container has no cgroup of its own, no process counts as its own.
find_own() {
  path "$$"
  _own=${_g:--}
  case $_own in /) path 1; case $_g in /..*) ;; *) _own=- ;; esac ;; esac
}

# shellcheck disable=SC2154 # it is given
if [ -z "$_shared" ]; then
  ours() { :; }
else
  find_own
  ours() {
    path "$1"
    _b=${_own%/}
    case $_g in "$_own" | "$_b"/*) ;; *) return 1 ;; esac
    case ${_g#"$_b"} in /.. | /../*) return 1 ;; esac
  }
fi
