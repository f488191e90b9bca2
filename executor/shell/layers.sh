# shellcheck shell=sh
# The layers and the build cache that a project's next job finds again, in the volume at dockerd's data
# directory.  Part of dockerd.sh: `keep_layers` chooses where in the volume they lie, and takes away
# whatever else an earlier job has left there.
#
# $_major      the image's word on dockerd's major version; empty where it says nothing
# $_cache      what BuildKit's cache may take, in bytes
# $_again      whether dockerd is started once more in this sidecar
# $_socket     where the containerd beside dockerd listens, if there is one
# $_c, $_file, $_v, $_said  what dockerd.sh knows of dockerd and its daemon.json
# shellcheck disable=SC2154 # what is given

_store=/var/lib/docker
_trash=$_store/trash

# Has as $_config a daemon.json that bounds BuildKit's cache, where nobody else has one: no argument says
# it.  Docker before 18.09 has no BuildKit.
bound_cache() {
  _config=
  if [ -z "$_major" ]; then find_version; fi
  [ "${_major:-$_v}" -ge 19 ] || return 0
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
  says_one_of --userns-remap,--containerd-namespace && return 1
  has_one_of userns-remap,containerd-namespace && return 1
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

# Takes away what is not what $1 (-f or -d) says: a job may leave links here that lead out of the volume.
clear_place() { { test "$1" "$2" && [ ! -L "$2" ]; } || rm -rf "$2"; }

# Only one sidecar at a time has the volume; the engine's answer to prepare says so, and this is the proof.
lock_store() {
  clear_place -f "$_store/lock"
  { : >>"$_store/lock"; } 2>/dev/null || return 1
  command -v flock >/dev/null || return 0
  exec 8>>"$_store/lock"
  flock -n 8
}

# Tells whether a bolt file of so many bytes has the pages that it counts.  Where one was cut off, dockerd
# opens it, and dies of it later.  Its first two pages say so; one call reads both where they are of 4 KiB.
is_whole() {
  # shellcheck disable=SC2046 # numbers
  set -- "$1" "$2" $(od -An -v -tu4 -N 4176 "$1")
  [ "$#" = 1046 ] && [ "$7" = 3977042669 ] && [ "$9" -ge 1024 ] || return 1
  _n=$9
  _p=$((${17} + (${18} << 32)))
  if [ "$_n" = 4096 ]; then
    set -- "$2" "${1041}" "${1042}"
  else
    # shellcheck disable=SC2046
    set -- "$2" $(od -An -v -tu4 -j $((_n + 56)) -N 8 "$1")
  fi
  _i=$((${2:-0} + (${3:-0} << 32)))
  [ "$_i" -le "$_p" ] || _p=$_i
  [ "$1" -ge $((_p * _n)) ]
} 2>/dev/null

# Tells whether images are in containerd, and no layers in a storage driver's directory.
has_images_in_containerd() {
  set -- "$_kept"/image/*/layerdb "$_kept"/buildkit/containerd-*
  [ ! -e "$1" ] && [ -d "$2" ] && [ -f "$_kept/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db" ]
}

# Has as $_why what speaks against the store; empty where nothing does.
judge_store() {
  _why=
  _i=
  { read -r _i <"$_kept.boot"; } 2>/dev/null
  # Not all that a job wrote may have come to the disk by then, and no layer is checked when it is used.
  [ "$_i" = "$_boot" ] || _why="the host was restarted since"
  command -v od >/dev/null || return 0
  set -- "$_kept"/buildkit/*.db
  if has_images_in_containerd; then set -- "$@" "$_kept"/buildkit/*/*.db "$_kept"/containerd/daemon/*/*.db; fi
  wc -c "$@" >"$_directory/sizes" 2>/dev/null
  while read -r _l _o; do
    case $_o in total | */history*.db) continue ;; esac # that goes anyway
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
  for _o in * image/* image/*/* containerd/*; do
    case ${_o##*/} in -*) return 1 ;; esac
    [ ! -L "$_o" ] || return 1
  done
  if has_images_in_containerd; then
    wipe_beside_images
    return
  fi
  # Where this is no directory, nothing here is known.
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

# The same where images are in containerd, which knows their names: `forget_images` is for those.
wipe_beside_images() {
  [ -n "$_may_begin" ] && command -v ctr >/dev/null || return 1
  set --
  for _o in containers volumes tmp plugins rootfs containerd/daemon/io.containerd.runtime.v2.task; do
    [ ! -e "$_o" ] || set -- "$@" "$_o"
  done
  [ "$#" = 0 ] || mv "$@" "$_old/" || return 1
  _in_containerd=yes
  rm -rf image network swarm trust runtimes buildkit/history*.db buildkit/executor
}

# Asks containerd.
ask_containerd() { ctr --address "$_socket" --namespace moby "$@"; }

# Has containerd forget the names of images, and containers.  An image that was pulled stays without its
# name: its digest is a root for the garbage collection, until no job has pulled it for so many days.  A
# dockerd that would find images does not start.
_days=14
forget_images() {
  for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ ! -S "$_socket" ] || break
    sleep 0.05 || sleep 1
  done
  _l=$_directory/containerd
  mkdir -p "$_l" && {
    ask_containerd content ls >"$_l/content" &
    _p=$!
    ask_containerd leases ls -q >"$_l/leases" &
    _n=$!
    ask_containerd containers ls -q >"$_l/containers" &
    _o=$!
    ask_containerd images ls >"$_l/images" && wait "$_p" && wait "$_n" && wait "$_o" && forget_listed
  } 2>"$_l/error" && return 0
  cat "$_l/error" >&2
  printf '%s\n' 'dind-executor: containerd does not forget the images of earlier jobs' >&2
  exit 1
}

# Does it with what was listed.  Each call takes its time, so none is made in vain, and containers go
# meanwhile.
forget_listed() {
  _i=$(($(date +%s) / 86400))
  forget_containers &
  _q=$!
  set --
  while read -r _n _o _p _h; do
    [ "$_n" != REF ] || continue
    set -- "$@" "$_n"
    # What was built here has its place in the build cache; what was pulled today is a root already.
    _h=$(grep "^$_p" "$_l/content") || _h=
    case $_h in
      *"containerd.io/gc.root=$_i"*) ;;
      *containerd.io/distribution.source.*)
        ask_containerd content label "$_p" "containerd.io/gc.root=$_i" || return 1 ;;
    esac
  done <"$_l/images"
  [ "$#" = 0 ] || ask_containerd images rm "$@" || return 1
  sed -n 's/^\(sha256:[0-9a-f]*\).*containerd.io\/gc.root=\([0-9][0-9]*\).*/\1 \2/p' "$_l/content" |
    while read -r _p _n; do
      [ "$_n" -ge $((_i - _days)) ] || grep -q "$_p" "$_l/images" ||
        ask_containerd content label "$_p" containerd.io/gc.root= || return 1
    done || return 1
  wait "$_q"
} >/dev/null

# Does it with containers, and with what they have written, which is leased by their ids.
forget_containers() {
  set --
  while read -r _n; do set -- "$@" "$_n"; done <"$_l/containers"
  [ "$#" = 0 ] || ask_containerd containers rm --keep-snapshot "$@" || return 1
  set --
  while read -r _n; do [ "${#_n}" != 64 ] || set -- "$@" "$_n"; done <"$_l/leases"
  [ "$#" = 0 ] || ask_containerd leases rm "$@"
}

# Has as $_kept the directory that dockerd is to use, empty or wiped.
find_store() {
  read -r _boot </proc/sys/kernel/random/boot_id || return 1
  choose_kind "$@" && lock_store || return 1
  _kept=$_store/$_kind
  clear_place -d "$_trash" && clear_place -d "$_kept" && clear_place -f "$_kept.boot" || return 1
  read -r _old </proc/sys/kernel/random/uuid || return 1
  # Where jobs end before anything is removed, the next one does not wait with it.
  set -- "$_trash"/*
  _pause=5
  [ "$#" -lt 10 ] || _pause=0
  _old=$_trash/$_old
  mkdir -p "$_old" || return 1
  for _o in "$_store"/once-*; do [ ! -e "$_o" ] || mv "$_o" "$_old/"; done
  if [ -e "$_kept" ]; then
    judge_store
    [ -n "$_why" ] || wipe || _why="dind-executor does not know what is in them"
    [ -z "$_why" ] || mv "$_kept" "$_old/" || return 1
  fi
  [ -d "$_kept" ] || mkdir -p "$_kept" || return 1
  printf '%s\n' "$_boot" >"$_kept.boot"
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
  _may_begin=
  if may_begin "$@"; then _may_begin=yes; fi
  _here=$PWD
  _why=
  if find_store "$@"; then
    # Later: a boot has better things to do.  Whoever looks for dockerd by its name does not mean this one.
    (
      cd "$_trash" && {
        printf dind-layers >/proc/self/comm
        sleep "$_pause"
        rm -rf ./*
      } >/dev/null 2>&1 8>&- &
    )
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
