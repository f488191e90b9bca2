# shellcheck shell=sh
# A containerd beside dockerd, started before it.  From 25 to 27, a dockerd that starts its own asks it
# before it listens, and then not again for a second.  Layers that are kept need one too where images are in
# containerd.  Part of dockerd.sh: `begin_containerd` decides whether there is one, and
# `end_with_containerd` runs dockerd beside it.
#
# $_ask         whether nobody knows the version of the image's dockerd
# $_only        whether dockerd is of a version that does without
# $_in_containerd  whether layers.sh has found images there
# $_c, $_dockerd, $_said  what dockerd.sh knows of dockerd and its daemon.json
# shellcheck disable=SC2154 # what is given

# Where dockerd has the files of its own; it logs as dockerd does, but is silent on what is usual: the
# last words of a dockerd that ends at once would be lost among them.
_root=/var/lib/docker
_run=/var/run/docker
_level=warn
_format=text

# Takes one of dockerd's settings by the name that it has in daemon.json.
take() {
  case $1 in
    data-root) _root=$2 ;;
    exec-root) _run=$2 ;;
    log-level) [ "$_level" = debug ] || _level=$2 ;;
    log-format) _format=$2 ;;
    debug) case $2 in true | 1) _level=debug ;; esac ;;
  esac
}

# Takes what dockerd's arguments say, and what its daemon.json says.
take_settings() {
  _last=
  for _o in "$@"; do
    case $_last in
      --data-root | -g) take data-root "$_o" ;;
      --exec-root) take exec-root "$_o" ;;
      --log-level | -l) take log-level "$_o" ;;
      --log-format) take log-format "$_o" ;;
    esac
    case $_o in
      --data-root=* | -g=* | --exec-root=* | --log-level=* | -l=* | --log-format=* | --debug=* | -D=*)
        _last=${_o%%=*}
        case $_last in -g) _last=--data-root ;; -l) _last=--log-level ;; -D) _last=--debug ;; esac
        take "${_last#--}" "${_o#*=}" ;;
      --debug | -D) take debug true ;;
      -[Dgl]?*) return 1 ;; # several in one
    esac
    _last=$_o
  done
  for _o in data-root exec-root log-level log-format debug; do
    case $_c in
      *"\"$_o\":"* | *"\"$_o\" :"*)
        _last=$(printf '%s\n' "$_c" | sed -n -e 's/.*"'$_o'" *: *"\([^"]*\)".*/\1/p' \
          -e 's/.*"'$_o'" *: *\([a-z]*\).*/\1/p')
        [ -n "$_last" ] || return 1
        take "$_o" "$_last" ;;
    esac
  done
  for _o in "$_root" "$_run" "/$_level" "/$_format"; do
    case $_o in *[!A-Za-z0-9/._-]*) return 1 ;; /*) ;; *) return 1 ;; esac
  done
}

# Tells whether a process runs, by its number and name; one that nobody has reaped does not.
runs() {
  { read -r _n <"/proc/$1/comm" && [ "$_n" = "$2" ] && [ -e "/proc/$1/exe" ]; } 2>/dev/null
}

# Ends what an earlier start has left here.  It is still at that while its dockerd has ended, and leaves
# a containerd only where somebody killed the shells that answer for it.  Fails where it goes on.
end_earlier() {
  _p='' _w='' _d='' _k=''
  read -r _p _w _d 2>/dev/null <"$_state/dind-executor"
  read -r _k 2>/dev/null <"$_state/containerd.pid"
  for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if runs "$_p" dind-executor; then
      ! runs "$_d" dockerd || return 1
    elif runs "$_k" containerd || runs "$_w" dind-executor || runs "$_d" dockerd; then
      ! runs "$_d" dockerd || kill -KILL "$_d"
      if runs "$_w" dind-executor; then kill -USR1 "$_w"; else kill -TERM "$_k"; fi
    else
      return 0
    fi 2>/dev/null
    sleep 0.1 || sleep 1
  done
  kill -KILL "$_w" "$_k" 2>/dev/null
}

# Tells whether there may be one: not if dockerd is to find one elsewhere, or finds the one of a machine.
may_begin() {
  says_one_of --containerd,--cri-containerd && return 1
  has_one_of containerd,cri-containerd && return 1
  [ -z "$ROOTLESSKIT_STATE_DIR" ] && [ ! -S /run/containerd/containerd.sock ] || return 1
  command -v containerd >/dev/null && take_settings "$@"
}

# Starts containerd where it is of use.
begin_containerd() {
  may_begin "$@" || return 1
  if [ -z "$_in_containerd" ]; then
    [ -z "$_only" ] || return 1
    if [ -n "$_ask" ]; then
      find_version
      case $_v in 25 | 26 | 27) ;; *) return 1 ;; esac
    fi
  fi
  _state=$_run/containerd
  _socket=$_state/containerd.sock
  if [ -e "$_state/dind-executor" ]; then end_earlier || return 1; fi
  _l='"io.containerd.grpc.v1.cri"'
  # Containers of an earlier job that dockerd knows nothing of would be started again, with all rights.
  [ -z "$_in_containerd" ] ||
    _l="$_l, \"io.containerd.internal.v1.restart\", \"io.containerd.monitor.container.v1.restart\""
  _u=$(umask)
  umask 077
  mkdir -p "$_state" && printf '%s\n' >"$_state/containerd.toml" \
    'version = 2' "disabled_plugins = [$_l]" \
    "root = '$_root/containerd/daemon'" "state = '$_state/daemon'" \
    '[grpc]' "address = '$_socket'" \
    '[debug]' "address = '$_state/containerd-debug.sock'" "format = '$_format'" &&
    rm -f "$_socket" || _state=
  umask "$_u"
  [ -n "$_state" ] || return 1
  _d=
  _lost=
  _passed=
  for _i in HUP INT QUIT TERM USR1; do
    # shellcheck disable=SC2064 # each has its own
    trap "pass_on $_i" "$_i"
  done
  trap lose_containerd USR2
  watch_containerd &
  _w=$!
}

# Waits until a child has ended, whatever signals come meanwhile, and has its exit code as $_code.
await() {
  while :; do
    wait "$1"
    _code=$?
    [ "$_code" -gt 128 ] || return 0
    kill -0 "$1" 2>/dev/null || break
  done
  # A signal came: what it ended with is still to be had, or was had already.
  wait "$1" 2>/dev/null
  _i=$?
  [ "$_i" = 127 ] || _code=$_i
}

# Answers for containerd: starts it again when it ends, and ends it when it is told to.  Where it never
# listens, or ends again and again, dockerd ends with it: nothing that a job asks for works without.
watch_containerd() {
  # `pkill dockerd` is not meant for this one, and neither is what a group of processes is told.
  trap : HUP INT QUIT TERM
  trap stop_containerd USR1
  printf dind-executor >/proc/self/comm
  unset NOTIFY_SOCKET
  umask 022
  _k=
  _stop=
  _times=0
  while :; do
    containerd --config "$_state/containerd.toml" --log-level "$_level" </dev/null &
    _k=$!
    [ -z "$_stop" ] || stop_containerd
    printf '%s\n' "$_k" >"$_state/containerd.pid"
    await "$_k"
    _k=
    [ -z "$_stop" ] || break
    if [ ! -S "$_socket" ] || [ "$((_times += 1))" -gt 4 ]; then
      printf '%s\n' "dind-executor: containerd does not run (exit code $_code): dockerd ends too" >&2
      kill -USR2 $$
      break
    fi
    printf '%s\n' "dind-executor: containerd has ended (exit code $_code) and is started again" >&2
    rm -f "$_socket"
  done
  rm -f "$_socket" "$_state/containerd.pid" "$_state/dind-executor"
}

stop_containerd() {
  _stop=yes
  [ -n "$_k" ] || return 0
  kill -TERM "$_k"
  (
    _i=0
    while [ $((_i += 1)) -le 25 ] && runs "$_k" containerd; do sleep 0.2 || sleep 1; done
    ! runs "$_k" containerd || kill -KILL "$_k"
  ) &
} 2>/dev/null

pass_on() {
  if [ -n "$_d" ]; then kill "-$1" "$_d"; else _passed="$_passed $1"; fi
} 2>/dev/null

lose_containerd() {
  _lost=yes
  [ -z "$_d" ] || kill -KILL "$_d"
} 2>/dev/null

# Runs dockerd with these arguments, ends containerd after it, and ends as it has ended.
end_with_containerd() {
  printf dind-executor >/proc/self/comm
  [ -z "$_lost" ] || exit 1
  "$_dockerd" "--containerd=$_socket" "$@" &
  _d=$!
  for _i in $_passed; do kill "-$_i" "$_d"; done
  [ -z "$_lost" ] || kill -KILL "$_d"
  printf '%s\n' "$$ $_w $_d" >"$_state/dind-executor"
  await "$_d"
  _d=
  _c=$_code
  kill -USR1 "$_w" 2>/dev/null
  await "$_w"
  [ -z "$_lost" ] || exit 1
  exit "$_c"
}
