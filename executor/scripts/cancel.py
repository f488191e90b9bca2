"""Ends what a cancelled script leaves behind: its container, and those that it started in dind."""

from executor.engine.api import Api
from executor.engine.exec import output
from executor.errors import EngineUnavailable
from executor.names import removal_query

_STOP_SECONDS = 5
"""How long a container in dind may take to end after SIGTERM."""
ENTRYPOINT_SECONDS = 3
"""How long an image's entrypoint may take to end after SIGTERM."""
_PATIENCE_SECONDS = 60.0
"""How long all of that may take: what runs in the sidecar may be a program of the job's."""

# Through the sidecar's own socket: its address may be out of reach, and the job may have chosen
# another transport.  A script that was cancelled in the middle of a `docker run` may have asked for
# a container that is not there yet, so the last look must find nothing.
_STOP_ALL = f"""\
unset DOCKER_TLS_VERIFY DOCKER_TLS DOCKER_CONTEXT
for _s in /var/run/docker.sock "$XDG_RUNTIME_DIR/docker.sock" /run/user/1000/docker.sock; do
  if [ -S "$_s" ]; then DOCKER_HOST=unix://$_s; break; fi
done
export DOCKER_HOST
_all=
for _ in 1 2 3 4 5; do
  _ids=$(docker ps -q --no-trunc 2>/dev/null)
  [ -n "$_ids" ] || break
  for _id in $_ids; do
    case $_all in *"$_id"*) ;; *) _all="$_all $_id"; echo "$_id" ;; esac
  done
  docker stop -t {_STOP_SECONDS} $_ids >/dev/null 2>&1
done
"""


def remove_container(api: Api, name: str) -> None:
    """Remove a container whose script was cancelled; a later sub-stage makes it anew.

    The keeper and an image's entrypoint get SIGTERM first, as under the Docker executor.
    """
    try:
        api.post(f"/containers/{name}/stop?t={ENTRYPOINT_SECONDS}")
        answer = api.get(f"/containers/{name}/json")
        found = answer.json() if answer.ok else None
        config = found.get("Config") if isinstance(found, dict) else None
        labels = config.get("Labels") if isinstance(config, dict) else None
        api.delete(f"/containers/{name}?{removal_query(labels or {})}")
    except EngineUnavailable:
        return  # then the next script runs where the cancelled one did


def stop_inner_containers(api: Api, dind: str) -> int:
    """Stop what runs in the job's Docker daemon; return how many containers that were.

    Without a sidecar that runs, there is nothing to stop.
    """
    try:
        said = output(api, dind, ("sh", "-c", _STOP_ALL), _PATIENCE_SECONDS)
        # Multiplexed or not, each container is a line.
        return sum(piece.count(b"\n") for piece in said)
    except EngineUnavailable:
        return 0
