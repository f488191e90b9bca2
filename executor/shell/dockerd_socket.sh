# shellcheck shell=sh
# Has dockerd listen where the build container looks: `share_socket` before dockerd starts.
#
# $_shared  the place; empty where the job has no use for it
# $_c       what its daemon.json says; where that names hosts, no argument may
# shellcheck disable=SC2154 # what is given

# Every user of the build container and of containers inside may use the daemon, as over TCP.  A script
# may begin as soon as dockerd listens, and dockerd gives the socket a mode of its own a moment before
# that; the other socket comes later, so once is not enough.
open_sockets() {
  until [ -S "$_shared" ]; do sleep 0.05 || sleep 1; done
  for _i in 1 2 3 4 5 6 7 8 9 10; do
    case $(ls -ld "$_shared") in srw-rw----*) break ;; esac
    sleep 0.02 || sleep 1
  done
  for _i in 1 2 3 4 5 6 7 8 9 10; do
    chmod 0666 "$_shared" /var/run/docker.sock
    sleep 0.2 || sleep 1
  done
}

# Tells whether dockerd is to listen there.  What is left of one that was killed would be taken for the
# new one's.  A user who may not write to the volume would keep it from starting.
share_socket() {
  [ -n "$_shared" ] && [ -w "${_shared%/*}" ] || return 1
  case $_c in *'"hosts"'*) return 1 ;; esac
  rm -f "$_shared" 2>/dev/null || return 1
  (open_sockets >/dev/null 2>&1 &)
}
