"""An engine of the tests' own, in a container: one that may restart, stop, hang and run full."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker.models.containers import Container

from executor.engine.api import Api
from executor.errors import EngineUnavailable
from tests.rig.state import Rig
from tests.stages.conftest import Changes
from tests.stages.witness import Witness, eventually

_AWAY = "/run/stay-away"
_DATA = "/var/lib/docker"
_PID = "/var/run/docker.pid"
# dockerd's data and processes outlive it here, as they do on a host.
_SERVE = f"""
while :; do
    while [ -e {_AWAY} ]; do sleep 0.1; done
    dockerd-entrypoint.sh dockerd "$@" || :
    sleep 0.1
done
"""


class OwnEngine:
    """An engine on a unix socket; its containers are out of the runner's reach."""

    def __init__(self, container: Container, socket: Path) -> None:
        self.host = f"unix://{socket}"
        self._container = container

    @property
    def changes(self) -> Changes:
        """Return the settings of jobs on it: it needs no wrapper around its runtime, and is small."""
        return {
            "docker": {"host": self.host},
            "dind": {"runtime": "", "privileged": True},
            "disk": {"floor": "64m", "headroom": "64m"},
        }

    def restart(self) -> None:
        """Have dockerd end and begin anew, and wait until the new one answers."""
        self.stop()
        self.come()

    def stop(self) -> None:
        """Have dockerd end, and wait until it has."""
        self.inside(f"touch {_AWAY}")
        self._end("TERM")

    def crash(self) -> None:
        """Kill dockerd; what it has started goes on, and it does not come back by itself."""
        self.inside(f"touch {_AWAY}")
        self._end("KILL")

    def _end(self, signal: str) -> None:
        """Signal dockerd and wait until it is gone; it ends its containers first."""
        pid = f"$(cat {_PID})"
        self.inside(f"p={pid}; kill -{signal} $p; while [ -e /proc/$p ]; do sleep 0.05; done")

    def come(self) -> None:
        """Have dockerd begin again, and wait until it answers."""
        self.inside(f"rm -f {_AWAY}")
        self.await_answer()

    def pause(self) -> None:
        """Have dockerd do nothing, and close nothing."""
        self.inside(f"kill -STOP $(cat {_PID})")

    def resume(self) -> None:
        """End that."""
        self.inside(f"kill -CONT $(cat {_PID})")

    def lose_power(self) -> None:
        """End all that runs, and forget what lies in memory: only the data are left, and no dockerd."""
        self.inside(f"touch {_AWAY}; kill -9 -1")
        mounted = f"grep -oE ' ({_DATA}|/run/docker)/[^ ]+' /proc/mounts"
        self.inside(f"for each in $({mounted}); do umount -l $each || :; done; rm -rf /run/docker*")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room for data until the end of the block."""
        # It fails at the last byte.
        self.inside(f"dd if=/dev/zero of={_DATA}/filler bs=64k 2>/dev/null || :")
        try:
            yield
        finally:
            self.inside(f"rm -f {_DATA}/filler")

    def await_answer(self) -> None:
        """Wait until it answers."""
        eventually(self._answers, "the engine answers")

    def _answers(self) -> bool:
        try:
            return Api(self.host).get("/_ping", timeout=5).ok
        except EngineUnavailable:
            return False

    def inside(self, script: str) -> str:
        """Return what a script prints beside dockerd."""
        code, output = self._container.exec_run(["sh", "-c", script])
        assert isinstance(output, bytes)
        text = output.decode(errors="replace")
        assert code == 0, f"{script}: {text}"
        return text


@contextmanager
def own_engine(
    rig: Rig,
    witness: Witness,
    directory: Path,
    *,
    size: str = "2g",
    arguments: Sequence[str] = (),
    hostname: str | None = None,
) -> Iterator[OwnEngine]:
    """Run an engine with so much room for its data, with these arguments of dockerd's.

    `hostname` is what it takes its host's name for.
    """
    witness.client.images.pull("docker:26.1-dind")
    directory.mkdir(parents=True, exist_ok=True)
    mirror = [f"--registry-mirror={rig.mirror}"] if rig.mirror else []
    container = witness.client.containers.create(
        "docker:26.1-dind",
        ["-c", _SERVE, "sh", "--host=unix:///engine/s", *mirror, *arguments],
        entrypoint=["sh"],
        privileged=True,
        runtime=rig.runtime,
        hostname=hostname,
        environment={"DOCKER_TLS_CERTDIR": ""},
        tmpfs={_DATA: f"size={size}"},
        volumes={
            "/etc/docker/certs.d": {"bind": "/etc/docker/certs.d", "mode": "ro"},
            str(directory): {"bind": "/engine", "mode": "rw"},
        },
    )
    engine = OwnEngine(container, directory / "s")
    try:
        container.start()
        engine.await_answer()
        yield engine
    finally:
        container.remove(force=True, v=True)
        shutil.rmtree(directory, ignore_errors=True)
