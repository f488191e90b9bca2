"""gitlab-runner as people deploy it, side by side on one engine: each one has a GitLab of its own."""

import os
import shutil
import signal
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests import pipelines, toml
from tests.gitlab import leftovers, runner, server
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.runner import Runner, Table
from tests.gitlab.server import GitLab
from tests.recording import recorder
from tests.rig.state import Rig
from tests.sockets import Listener, tunnel

WAITS = """
waits:
  image: alpine
  script:
    - echo beg""un; while [ ! -e /tmp/let-go ]; do sleep 0.1; done
"""
ECHOES = "echoes: {image: alpine, script: [echo one]}"
OTHER_BOOT = "11111111-2222-3333-4444-555555555555"
_REPOSITORY = Path(__file__).parents[2]
_OWN_PIDS = ("unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child=TERM")
# What a program of this machine needs, in a container that has nothing.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ssl", "/etc/docker/certs.d")


@dataclass(frozen=True)
class Deployed:
    """A gitlab-runner that works."""

    kind: str
    name: str
    pushed: Pushed
    state_dir: Path
    engine_host: str
    kill: Callable[[], None]
    """Ends gitlab-runner by SIGKILL; whether its stages go on is the deployment's affair."""

    def begin(self) -> Job:
        """Have a job of which the script waits."""
        job = self.start(WAITS)
        job.wait_for("\nbegun")
        return job

    def start(self, text: str) -> Job:
        """Put the only job of a pipeline into the queue."""
        return self.pushed.start_only(parse_pipeline(text, "test"))

    def objects(self, job: Job) -> list[str]:
        """Return what there is of a job on the engine, which lists volumes in any order."""
        return sorted(leftovers.of_jobs(self.engine_host, [job]))

    def let_go(self, job: Job) -> None:
        """Let the script of a job that waits go on to its end."""
        with closing(docker.DockerClient(base_url=self.engine_host, version="auto")) as client:
            (name,) = (each for each in self.objects(job) if each.endswith("-build"))
            build = client.containers.get(name.split(" /")[1])
            assert build.exec_run(["touch", "/tmp/let-go"]).exit_code == 0


@contextmanager
def deployed(kind: str, rig: Rig, checkout: Checkout, directory: Path) -> Iterator[Deployed]:
    """Have a gitlab-runner of a kind: a key of KINDS."""
    directory.mkdir()
    state_dir = directory / "state"
    state_dir.mkdir()
    with server.serving(directory / "repositories", rig.address) as gitlab:
        pushed = Pushed(gitlab, checkout, project_variables(pipelines.variables(rig)))
        place = Place(gitlab, rig, directory, state_dir)
        with KINDS[kind](place) as kill:
            yield Deployed(kind, directory.name, pushed, state_dir, rig.engine_host, kill)
        # What was killed, and nobody could prove it.
        leftovers.remove_of_jobs(rig.engine_host, gitlab.jobs())
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)


@dataclass(frozen=True)
class Place:
    """Where a deployment has its files, and what it serves."""

    gitlab: GitLab
    rig: Rig
    directory: Path
    state_dir: Path

    def table(self, host: str = "") -> Table:
        """Return the runner's part of config.toml, with settings of its own."""
        tables = tomllib.loads(self.rig.settings.read_text(encoding="utf-8"))
        for name, keys in {
            "docker": {"host": host or self.rig.engine_host},
            "dind": {"mode": "service"},
            "sweep": {"state_dir": str(self.state_dir)},
            "log": {"path": str(self.directory / "operator.log")},
        }.items():
            tables[name] = {**tables.get(name, {}), **keys}
        settings = self.directory / "settings.toml"
        settings.write_text(toml.dumps(tables), encoding="utf-8")
        return runner.custom(settings)

    def working(
        self, *within: str, host: str = "", temp_dir: Path | None = None
    ) -> AbstractContextManager[Runner]:
        """Have gitlab-runner work as a process that `within` starts."""
        environment = {"TMPDIR": str(temp_dir)} if temp_dir else {}
        return runner.working(
            self.gitlab,
            self.table(host),
            self.directory / "runner",
            within=within,
            environment=environment,
        )


@contextmanager
def _on_the_host(place: Place) -> Iterator[Callable[[], None]]:
    temp_dir = place.directory / "tmp"
    temp_dir.mkdir()
    with place.working(temp_dir=temp_dir) as started:
        yield _killing(started)


@contextmanager
def _in_namespaces(place: Place) -> Iterator[Callable[[], None]]:
    """Have a PID and a mount namespace of its own, and no container."""
    with place.working(*_OWN_PIDS) as started:
        yield _killing(started)


@contextmanager
def _with_a_private_directory(place: Place) -> Iterator[Callable[[], None]]:
    """Have a mount namespace in which the temporary directory is another one, as by PrivateTmp."""
    temp_dir = place.directory / "private"
    temp_dir.mkdir()
    mount = f'mount -t tmpfs private {temp_dir} && exec "$@"'
    within = ("unshare", "--mount", "sh", "-c", mount, "sh")
    with place.working(*within, temp_dir=temp_dir) as started:
        yield _killing(started)


@contextmanager
def _elsewhere(place: Place) -> Iterator[Callable[[], None]]:
    """Be another host: another boot of a cloned machine, which reaches the engine by TCP."""
    boot = place.directory / "boot_id"
    boot.write_text(f"{OTHER_BOOT}\n", encoding="ascii")
    mount = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
    engine = place.rig.engine_host.removeprefix("unix://")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError), socket.socket(socket.AF_UNIX) as there:
            there.connect(engine)
            tunnel(connection, there)

    listener = Listener(listening, serve)
    host = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with place.working(*_OWN_PIDS, "sh", "-c", mount, "sh", host=host) as started:
            yield _killing(started)
    finally:
        listener.close()


@contextmanager
def _in_a_container(place: Place) -> Iterator[Callable[[], None]]:
    """Be a container of the engine, with the engine's socket in it and nothing else of the host's."""
    command, environment = runner.command_of(
        place.gitlab, place.table(), place.directory / "runner"
    )
    command[0] = shutil.which(command[0]) or command[0]
    socket_dir = str(Path(place.rig.engine_host.removeprefix("unix://")).parent)
    # This Python may live anywhere, and so may gitlab-runner.
    programs = {sys.base_prefix, str(Path(command[0]).resolve().parent), str(_REPOSITORY)}
    shown = {each for each in (*_SYSTEM, *programs) if Path(each).exists()}
    volumes = {each: {"bind": each, "mode": "ro"} for each in shown}
    noting = recorder()
    for each in (str(place.directory), socket_dir, *([str(noting)] if noting else [])):
        volumes[each] = {"bind": each, "mode": "rw"}
    with closing(docker.DockerClient(base_url=place.rig.engine_host, version="auto")) as client:
        client.images.pull("busybox:latest")
        container = client.containers.create(
            "busybox:latest",
            command,
            environment=environment,
            volumes=volumes,
            tmpfs={"/tmp": "mode=1777"},
        )
        try:
            container.start()
            yield container.kill
            container.reload()
            if container.status == "running":
                container.stop(timeout=60)
        finally:
            with (place.directory / "gitlab-runner.log").open("wb") as log:
                log.write(container.logs())
            container.remove(force=True, v=True)


def _killing(started: Runner) -> Callable[[], None]:
    return lambda: os.kill(started.pid, signal.SIGKILL)


KINDS: dict[str, Callable[[Place], AbstractContextManager[Callable[[], None]]]] = {
    "host": _on_the_host,
    "namespaces": _in_namespaces,
    "private": _with_a_private_directory,
    "elsewhere": _elsewhere,
    "container": _in_a_container,
}
"""How gitlab-runner is deployed."""

EVERY = ("host", "namespaces", "private", "elsewhere", "container", "container")


def start(
    stack: ExitStack, kinds: Sequence[str], rig: Rig, checkout: Checkout, directory: Path
) -> list[Deployed]:
    """Start a gitlab-runner of each kind; `stack` ends them."""
    return [
        stack.enter_context(deployed(kind, rig, checkout, directory / f"{number}-{kind}"))
        for number, kind in enumerate(kinds)
    ]
