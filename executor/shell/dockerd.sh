# shellcheck shell=sh
# Stands in dockerd's place, and becomes dockerd with the arguments in "$@" and with what neither they
# nor its daemon.json say: dockerd refuses to start when both give the same directive.  After
# dockerd_socket.sh.
#
# $_directory  where this program lies
# $_first      arguments ahead of all others, one a line
# $_options    a line for each argument: the directives of daemon.json that it cannot stand beside
#              (with commas), the first major version that knows it and the first that does without
#              (0 for none), the flags that it cannot stand beside (with commas, - for none), and the
#              argument itself
# $_port       where dockerd is to listen for the job
# $_tls        the directory of its certificates; empty on plain TCP
# $_mtu        the MTU of the network around; empty where nothing is known of it
# shellcheck disable=SC2154 # what is given

_dockerd=$_directory/real/dockerd
_ifs=$IFS
set -f
if [ ! -s "$_dockerd" ]; then
  _dockerd=dockerd
  _c=
  IFS=:
  for _o in $PATH; do [ "$_o" = "$_directory" ] || _c=${_c:+$_c:}$_o; done
  PATH=$_c
fi
IFS='
'
# shellcheck disable=SC2086 # a word for each line
set -- $_first "$@"

# What the arguments say: their flags, and the hosts among them.
_file=/etc/docker/daemon.json
_socket=/var/run/docker.sock
if [ -n "$ROOTLESSKIT_STATE_DIR" ]; then
  _file=${XDG_CONFIG_HOME:-$HOME/.config}/docker/daemon.json
  _socket=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
fi
_said=' '
_hosts=' '
_last=
for _o in "$@"; do
  _h=
  case "$_last $_o" in '-H '* | '--host '*) _h=$_o ;; '--config-file '*) _file=$_o ;; esac
  case $_o in
    --version | -v | --help | -h | --validate) exec "$_dockerd" "$@" ;;
    --host=* | -H=*) _h=${_o#*=} ;;
    -H?*) _h=${_o#-H} ;;
    --config-file=*) _file=${_o#*=} ;;
  esac
  case $_h in
    '') ;;
    tcp://*:*[0-9] | tcp://*:*[0-9]/) _hosts="$_hosts${_h%/} " ;;
    tcp://*) _hosts="$_hosts${_h%/}:$_port " ;;
    *) _hosts="$_hosts$_h " ;;
  esac
  _said="$_said${_o%%=*} "
  _last=$_o
done
_c=$(cat "$_file" 2>/dev/null)
_v=

find_version() {
  [ -z "$_v" ] || return 0
  # It was asked while the service began, and answers once.
  for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e "$_directory/asking" ] || break
    sleep 0.01 || sleep 1
  done
  { read -r _v <"$_directory/version"; } 2>/dev/null
  [ -n "$_v" ] || _v=$("$_dockerd" --version 2>/dev/null)
  _v=${_v#Docker version }
  _v=${_v%%.*}
  case $_v in '' | *[!0-9]*) _v=0 ;; esac
}

change_rules() {
  iptables "$@" 2>/dev/null || /usr/local/sbin/.iptables-legacy/iptables "$@" 2>/dev/null
}

# Tells whether one of these flags, with commas between them, is among the arguments.
says_one_of() {
  IFS=,
  for _f in $1; do case $_said in *" $_f "*) IFS=$_ifs && return 0 ;; esac done
  IFS=$_ifs
  return 1
}

# Tells whether its daemon.json has one of these directives, with commas between them.
has_one_of() {
  IFS=,
  for _f in $1; do
    case $_f$_c in
      bridge*'"bridge":"'* | bridge*'"bridge": "'*) ;;
      bridge*) continue ;; # what may be in it then is the name of a driver
      *"\"$_f\""*) ;;
      *) continue ;;
    esac
    IFS=$_ifs
    return 0
  done
  IFS=$_ifs
  return 1
}

# It listens where the job expects it, as with the image's own entrypoint.  Without a word on TLS it
# would warn of plain TCP for 16 seconds.
case $_c in
  *'"hosts"'*) ;;
  *)
    [ "$_hosts" != ' ' ] || set -- "$@" "--host=unix://$_socket"
    case $_hosts in *":$_port "*) ;; *) set -- "$@" "--host=tcp://0.0.0.0:$_port" ;; esac
    ;;
esac
case "$_said $_c" in
  *' --tls'* | *'"tls'*) ;;
  *)
    if [ -n "$_tls" ]; then
      set -- "$@" --tlsverify "--tlscacert=$_tls/ca.pem" "--tlscert=$_tls/cert.pem" \
        "--tlskey=$_tls/key.pem"
    else
      set -- --tls=false "$@"
    fi
    ;;
esac

IFS='
'
for _o in $_options; do
  IFS=$_ifs
  _key=${_o%% *} _o=${_o#* }
  _since=${_o%% *} _o=${_o#* }
  _until=${_o%% *} _o=${_o#* }
  _flags=${_o%% *} _o=${_o#* }
  has_one_of "$_key" && continue
  says_one_of "$_flags" && continue
  if [ "$_since$_until" != 00 ]; then
    find_version
    [ "$_v" -ge "$_since" ] || continue
    [ "$_until" = 0 ] || [ "$_v" -lt "$_until" ] || continue
  fi
  set -- "$@" "$_o"
done
set +f
IFS=$_ifs

# A dockerd that is started once more finds what the first start has done.
_again=
[ ! -e "$_directory/started" ] || _again=yes
{ true >"$_directory/started"; } 2>/dev/null # a user whom the service changes to may not write there

_beside=
_in_containerd=
if [ -f "$_directory/containerd.sh" ]; then
  # shellcheck source=executor/shell/containerd.sh
  . "$_directory/containerd.sh"
fi
if [ -f "$_directory/layers.sh" ]; then
  # shellcheck source=executor/shell/layers.sh
  . "$_directory/layers.sh"
  keep_layers "$@"
  [ -z "$_place" ] || set -- "$@" "--data-root=$_place"
  [ -z "$_config" ] || set -- "$@" "--config-file=$_config"
fi

# What takes its time begins first.
if [ -f "$_directory/containerd.sh" ] && begin_containerd "$@"; then _beside=yes; fi

# Networks that a job makes have an MTU of 1500 under an older dockerd, whatever it is told: TCP at
# least is limited to what the way out carries.
if [ -n "$_mtu" ] && [ -z "$_again" ]; then
  find_version
  if [ "$_v" -lt 24 ]; then
    change_rules -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
  fi
fi

# The names of the job's services, and the administrator's DNS servers, are known to the engine's
# resolver alone.  It listens on the sidecar's loopback, which containers inside cannot reach;
# dockerd would give them 8.8.8.8 in its place.  So what they ask the sidecar's own address is led
# there, as kind does it; by the second rule also for containers on the sidecar's own network.
redirect() {
  [ -z "$_again" ] || return 0
  change_rules -t nat -A PREROUTING ! -i eth0 -d "$_a" -p "$1" --dport 53 -j DNAT --to "127.0.0.11:$2" &&
    change_rules -t nat -A OUTPUT -d "$_a" -p "$1" --dport 53 -j DNAT --to "127.0.0.11:$2"
}

# Finds the resolver's ports and the sidecar's address.
find_resolver() {
  _p=
  _u=
  while read -r _s _a _r; do
    case $_a in 0B00007F:* | 7F00000B:*) _u=$((0x${_a#*:})) ;; esac
  done 2>/dev/null </proc/net/udp
  while read -r _s _a _r; do
    case "$_a $_r" in 0B00007F:*' 0A '* | 7F00000B:*' 0A '*) _p=$((0x${_a#*:})) ;; esac
  done 2>/dev/null </proc/net/tcp
  _a=
  for _i in $(hostname -i 2>/dev/null); do case $_i in *:*) ;; *) _a=$_i ;; esac; done
  [ -n "$_a" ] && [ -n "$_u" ] && [ -n "$_p" ]
}

# Inside, names without a dot would be asked nowhere if the resolver's own `ndots:0` were taken for
# somebody's wish; another option in its place is the resolvers' default.
case $_said$_c in *' --dns '* | *'"dns"'*) _dns= ;; *) _dns=yes ;; esac
if [ -n "$_dns" ] && find_resolver &&
  { echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; } 2>/dev/null &&
  redirect udp "$_u" && redirect tcp "$_p"
then
  set -- "$@" "--dns=$_a"
  while read -r _s _o; do
    case "$_s $_o " in 'options '*' ndots:0 '* | 'options ndots:0 '*)
      set -- "$@" --dns-opt=attempts:2
      for _i in $_o; do [ "$_i" = ndots:0 ] || set -- "$@" "--dns-opt=$_i"; done ;;
    esac
  done </etc/resolv.conf
fi

# Before its other socket: where that one is, a script finds this one too.
if share_socket; then set -- "--host=unix://$_shared" "$@"; fi
[ -z "$_in_containerd" ] || forget_images
[ -z "$_beside" ] || end_with_containerd "$@"
exec "$_dockerd" "$@"
