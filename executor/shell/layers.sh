# shellcheck shell=sh
# The layers and the build cache that a project's next job finds again, in the volume at dockerd's data
# directory.  Part of dockerd.sh: `keep_layers` chooses where in the volume they lie, and takes away
# whatever else an earlier job has left there.
#
# $_major      the image's word on dockerd's major version; empty where it says nothing
# $_cache      what BuildKit's cache may take, in bytes
# $_again      whether dockerd is started once more in this sidecar
# $_c, $_file, $_v, $_said  what dockerd.sh knows of dockerd and its daemon.json
# shellcheck disable=SC2154 # what is given

_store=/var/lib/docker
_trash=$_store/trash

# Has as $_config a daemon.json that bounds BuildKit's cache, where nobody else has one: no argument says
# it.  A dockerd leaves alone what it does not know of it.
bound_cache() {
  _config=
  says_one_of --config-file && return 0
  [ ! -e "$_file" ] || return 0
  _config=$_directory/daemon.json
  printf '{"builder":{"gc":{"enabled":true,"defaultKeepStorage":"%s","defaultMaxUsedSpace":"%s"}}}\n' \
    "$_cache" "$_cache" >"$_config" || _config=
}

# Has as $_kind what tells stores apart: no dockerd opens another major version's, and none that has its
# images elsewhere.  Fails where nobody knows.
choose_kind() {
  _kind=$_major
  if [ -z "$_kind" ]; then
    find_version
    _kind=$_v
  fi
  [ "$_kind" != 0 ] || return 1
  says_one_of --userns-remap && return 1
  has_one_of userns-remap && return 1
  _words=$DOCKER_DRIVER
  _last=
  for _o in "$@"; do
    case $_last in --storage-driver | -s | --feature) _words="$_words $_o" ;; esac
    case $_o in
      --storage-driver=* | --feature=*) _words="$_words ${_o#*=}" ;;
      -s?*) _words="$_words ${_o#-s}" ;;
    esac
    _last=$_o
  done
  if has_one_of storage-driver,features; then _words="$_words $_c"; fi
  if [ -n "$_words" ]; then
    _words=$(printf '%s' "$_words" | cksum) && _kind=$_kind-${_words%% *}
  fi
}

# Only one sidecar at a time has the volume; the engine's answer to prepare says so, and this is the proof.
lock_store() {
  { : >>"$_store/lock"; } 2>/dev/null || return 1
  command -v flock >/dev/null || return 0
  exec 8>>"$_store/lock"
  flock -n 8
}

# Tells whether a bolt file of so many bytes has the pages that it counts.  Where one was cut off, dockerd
# opens it, and dies of it later.
is_whole() {
  # shellcheck disable=SC2046 # numbers
  set -- "$1" "$2" $(od -An -v -tu4 -N 80 "$1")
  [ "$7" = 3977042669 ] && [ "${9:-0}" -ge 1024 ] || return 1
  _n=$9
  _p=$((${17} + (${18} << 32)))
  # shellcheck disable=SC2046
  set -- "$2" $(od -An -v -tu4 -j $((_n + 56)) -N 8 "$1")
  _i=$((${2:-0} + (${3:-0} << 32)))
  [ "$_i" -le "$_p" ] || _p=$_i
  [ "$1" -ge $((_p * _n)) ]
} 2>/dev/null

# Has as $_why what speaks against the store; empty where nothing does.
judge_store() {
  _why=
  _i=
  { read -r _i <"$_kept.boot"; } 2>/dev/null
  # Not all that a job wrote may have come to the disk by then, and no layer is checked when it is used.
  [ "$_i" = "$_boot" ] || _why="the host was restarted since"
  command -v od >/dev/null || return 0
  wc -c "$_kept"/buildkit/*.db >"$_directory/sizes" 2>/dev/null
  while read -r _l _o; do
    [ "$_o" != total ] || continue
    is_whole "$_o" "$_l" || _why="${_o##*/} is damaged"
  done <"$_directory/sizes"
}

# Tells whether images are the cache of the classic builder, which was the usual one up to 20.10: each
# knows the one that it was made from.
are_cache() {
  [ "${_kind%%-*}" -lt 23 ] || return 1
  for _i in "$1"/metadata/sha256/*/parent; do [ ! -e "$_i" ] || return 0; done
  return 1
}

# Takes away what is no layer and no build cache.  What may be large is moved, and removed later.
wipe() {
  cd "$_kept" || return 1
  # A directory that is none, or images in containerd: nothing here is known.
  set -- image/*/layerdb
  [ -d "$1" ] || return 1
  set --
  for _o in image/*/layerdb/mounts/*; do
    _i=
    { read -r _i <"$_o/mount-id"; } 2>/dev/null
    case $_i in '' | *[!A-Za-z0-9]*) continue ;; esac
    _o=${_o#image/}
    _o=${_o%%/*}
    for _l in "$_o/$_i" "$_o/$_i-init" "$_o/dir/$_i" "$_o/dir/$_i-init"; do
      [ ! -e "$_l" ] || set -- "$@" "$_l"
    done
  done
  for _o in containers volumes tmp containerd plugins image/*/imagedb; do
    [ "${_o##*/}" != imagedb ] || ! are_cache "$_o" || continue
    [ ! -e "$_o" ] || set -- "$@" "$_o"
  done
  [ "$#" = 0 ] || mv "$@" "$_old/" || return 1
  rm -rf image/*/repositories.json image/*/layerdb/mounts image/*/layerdb/tmp network swarm trust \
    runtimes buildkit/history*.db buildkit/executor
}

# Has as $_kept the directory that dockerd is to use, empty or wiped.
find_store() {
  read -r _boot </proc/sys/kernel/random/boot_id || return 1
  choose_kind "$@" && lock_store || return 1
  _kept=$_store/$_kind
  read -r _old </proc/sys/kernel/random/uuid || return 1
  _old=$_trash/$_old
  mkdir -p "$_old" || return 1
  for _o in "$_store"/once-*; do [ ! -e "$_o" ] || mv "$_o" "$_old/"; done
  if [ -e "$_kept" ]; then
    judge_store
    [ -n "$_why" ] || wipe || _why="dind-executor does not know what is in them"
    [ -z "$_why" ] || mv "$_kept" "$_old/" || return 1
  fi
  mkdir -p "$_kept" && printf '%s\n' "$_boot" >"$_kept.boot"
} 2>/dev/null

# Makes dockerd use what is kept.  $_place is where that lies, empty where dockerd need not be told.
keep_layers() {
  _place=
  _config=
  says_one_of --data-root,-g,--graph && return 0
  has_one_of data-root,graph && return 0
  bound_cache
  if [ -n "$_again" ]; then
    { read -r _place <"$_directory/data-root"; } 2>/dev/null
    return 0
  fi
  _here=$PWD
  _why=
  if find_store "$@"; then
    # Later: a boot has better things to do.
    (cd "$_trash" && { sleep 5; rm -rf ./*; } >/dev/null 2>&1 8>&- &)
  else
    _why='they are of no use to this Docker daemon'
    # Nobody finds this one again.
    read -r _kept </proc/sys/kernel/random/uuid
    _kept=$_store/once-$_kept
    mkdir -p "$_kept"
  fi
  [ -z "$_why" ] || printf '%s\n' "dind-executor: layers dropped: $_why" >&2
  cd "$_here" || cd /
  mount -o bind "$_kept" "$_store" 2>/dev/null || {
    _place=$_kept
    printf '%s\n' "$_place" >"$_directory/data-root"
  }
}
