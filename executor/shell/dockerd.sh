# shellcheck shell=sh
# Adds to dockerd's arguments in "$@" what neither they nor the image's daemon.json say: dockerd
# refuses to start when both give the same directive.
#
# $_options  a line for each argument: its directive in daemon.json, the first major version that
#            knows it and the first that does without (0 for none), and the argument itself
# $_mtu      the MTU of the network around; empty where nothing is known of it
# $_dns      whether the names that the sidecar knows are known inside, too
# shellcheck disable=SC2154 # what is given

_c=$(cat /etc/docker/daemon.json 2>/dev/null)
_v=

find_version() {
  [ -z "$_v" ] || return 0
  _v=$(dockerd --version 2>/dev/null)
  _v=${_v#Docker version }
  _v=${_v%%.*}
  case $_v in '' | *[!0-9]*) _v=0 ;; esac
}

change_rules() {
  iptables "$@" 2>/dev/null || /usr/local/sbin/.iptables-legacy/iptables "$@" 2>/dev/null
}

_ifs=$IFS
IFS='
'
set -f
for _o in $_options; do
  _key=${_o%% *} _o=${_o#* }
  _since=${_o%% *} _o=${_o#* }
  _before=${_o%% *} _o=${_o#* }
  case $_c in *"\"$_key\""*) continue ;; esac
  if [ "$_since$_before" != 00 ]; then
    find_version
    [ "$_v" -ge "$_since" ] || continue
    [ "$_before" = 0 ] || [ "$_v" -lt "$_before" ] || continue
  fi
  set -- "$@" "$_o"
done
set +f
IFS=$_ifs

# Networks that a job makes have an MTU of 1500 under an older dockerd, whatever it is told: TCP at
# least is limited to what the way out carries.
if [ -n "$_mtu" ]; then
  : "${DOCKERD_ROOTLESS_ROOTLESSKIT_MTU:=$_mtu}"
  export DOCKERD_ROOTLESS_ROOTLESSKIT_MTU
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
case $_c in *'"dns"'*) _dns= ;; esac
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
