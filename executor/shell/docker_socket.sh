# shellcheck shell=sh
# Leads the Docker client of a job's scripts to the sidecar's socket.  After own_places.sh.
#
# $_socket     where the socket is; empty where the sidecar has none for the job
# $_otherwise  variables for scripts whose sidecar turns out to have none, each on a line
# $_forgets    whether DOCKER_HOST goes also where the client does not find the socket by itself

# An entrypoint may have made DOCKER_HOST something else; that stays.
find_socket() {
  _link=/var/run/docker.sock
  # shellcheck disable=SC2154 # what is given
  [ -n "$_socket" ] || return 0
  if leads_there || make_link; then _forgets=yes; fi
  if [ "${DOCKER_HOST-}" = "unix://$_socket" ]; then
    [ -z "$_forgets" ] || unset DOCKER_HOST
  elif [ -z "${DOCKER_HOST-}" ] && [ -z "$_forgets" ] && [ -n "$_otherwise" ]; then
    export DOCKER_HOST="unix://$_socket"
  fi
}

leads_there() {
  [ -L "$_link" ] && [ "$(readlink "$_link" 2>/dev/null)" = "$_socket" ]
}

make_link() {
  [ ! -L "$_link" ] && [ ! -e "$_link" ] && own "${_link%/*}" || return 1
  [ -d "${_link%/*}" ] || mkdir -p "${_link%/*}" 2>/dev/null
  ln -s "$_socket" "$_link" 2>/dev/null
}

# By now dockerd listens.  It makes its socket for root and a group of its image's; its container
# opens it for every user, but may not have come to that.  Without a socket it was not told of one:
# it was started by a program that drops our arguments, or by a user who may not write to the volume.
open_socket() {
  if [ -S "$_socket" ]; then
    _n=0
    chmod 0666 "$_socket" 2>/dev/null || until [ -w "$_socket" ] || [ "$_n" = 50 ]; do
      _n=$((_n + 1))
      sleep 0.1 2>/dev/null || sleep 1
    done
  elif [ -n "$_otherwise" ]; then
    case ${DOCKER_HOST-} in
      "" | "unix://$_socket")
        leads_there && rm -f "$_link" 2>/dev/null
        _ifs=$IFS
        IFS='
'
        for _n in $_otherwise; do export "${_n?}"; done
        IFS=$_ifs ;;
    esac
  fi
  _socket=
}
