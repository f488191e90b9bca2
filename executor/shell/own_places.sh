# shellcheck shell=sh
# Tells what belongs to this container alone, and may be written to: `own PATH`.
#
# $_own     where its tmpfs are, and volumes that go with the job, each on a line
# $_joined  whether it has volumes of other containers
_mounts=

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
  [ -n "$_mounts" ] || list_mounts
  _m=
  _below=
  _w=$_mounts
  while [ -n "$_w" ]; do
    _k=${_w%% *}
    _w=${_w#* }
    _p=${_w%% *}
    _w=${_w#* }
    case $_p in "$_r"?*) _below=1 ;; esac
    _i=${_p%/}/
    case $_r in "$_i"*) [ "${#_p}" -lt "${#_m}" ] || { _m=$_p _v=$_k; } ;; esac
  done
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

# Lists what of its file system a mount shows, and where it is.  A shell reads a line at a time, and
# bash goes back in the list for it: where something is mounted or unmounted meanwhile, a line may be
# missing or cut.  So the list counts once it is read twice the same.
list_mounts() {
  _n=0
  until
    _n=$((_n + 1))
    _w=$_mounts
    _mounts=
    while read -r _i _i _i _k _p _i; do _mounts="$_mounts$_k $_p "; done 2>/dev/null </proc/self/mountinfo
    [ "$_mounts" = "$_w" ] || [ "$_n" = 50 ]
  do :; done
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
