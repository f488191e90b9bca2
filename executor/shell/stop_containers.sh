# shellcheck shell=sh
# Stops all containers of the sidecar's daemon and prints a line for each.
#
# $_seconds  how long each may take to end after SIGTERM
# shellcheck disable=SC2154,SC2086 # it is given; one argument for each container

# Through the sidecar's own socket: its address may be out of reach, and the job may have chosen
# another transport.
unset DOCKER_TLS_VERIFY DOCKER_TLS DOCKER_CONTEXT
for _s in /var/run/docker.sock "$XDG_RUNTIME_DIR/docker.sock" /run/user/1000/docker.sock; do
  if [ -S "$_s" ]; then DOCKER_HOST=unix://$_s; break; fi
done
export DOCKER_HOST
_all=
# A script that was cancelled in the middle of a `docker run` may have asked for a container that is
# not there yet, so the last look must find nothing.
for _ in 1 2 3 4 5; do
  _ids=$(docker ps -q --no-trunc 2>/dev/null)
  [ -n "$_ids" ] || break
  for _id in $_ids; do
    case $_all in *"$_id"*) ;; *) _all="$_all $_id"; echo "$_id" ;; esac
  done
  docker stop -t "$_seconds" $_ids >/dev/null 2>&1
done
