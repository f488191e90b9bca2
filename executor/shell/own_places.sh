# shellcheck shell=sh
# Tells what belongs to this container alone, and may be written to: `own PATH`.
#
# $_own     where its tmpfs are, and volumes that go with the job, each on a line
# $_joined  whether it has volumes of other containers

# What else is mounted is somebody else's, but for a volume without a name: an image declares it, and
# it goes with the container.  A path that is not there yet belongs to whom the
# directory above it belongs.  $_below says whether something is mounted below it.
own() {
  case $1 in /*) ;; *) return 1 ;; esac
  _r=$1
  until [ -d "$_r/" ]; do _r=${_r%/*}; done
  _r=$(cd -P -- "$_r/" 2>/dev/null && pwd -P) || return 1
  # What cannot be found in the list of mounts is nobody's.
  case $_r in *[[:space:]]* | *\\*) return 1 ;; esac
  _r=${_r%/}/
  _m=
  _below=
  # shellcheck disable=SC2162 # a backslash stands for a character that is in none of our paths
  while read -r _i _i _i _k _p _i; do
    case $_p in "$_r"?*) _below=1 ;; esac
    _i=${_p%/}/
    case $_r in "$_i"*) [ "${#_p}" -lt "${#_m}" ] || { _m=$_p _v=$_k; } ;; esac
  done 2>/dev/null </proc/self/mountinfo
  [ "$_m" != / ] || return 0
  [ -n "$_m" ] || return 1
  is_ours && return 0
  # shellcheck disable=SC2154 # it is given
  [ -z "$_joined" ] || return 1
  _k=${_v%/_data}
  [ "$_k" != "$_v" ] || return 1
  _k=${_k##*/}
  case $_k in *[!0-9a-f]*) return 1 ;; esac
  [ "${#_k}" = 64 ]
}

is_ours() {
  _ifs=$IFS
  IFS='
'
  _i=
  # shellcheck disable=SC2154,SC3013 # it is given; busybox ash, dash and bash have -ef
  for _k in $_own; do [ "$_k" -ef "$_m" ] && _i=1; done
  IFS=$_ifs
  [ -n "$_i" ]
}
