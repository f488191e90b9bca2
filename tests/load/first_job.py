"""From a bare Debian root to the first job: install, register, build; the seconds of each.

`python -m tests.load.first_job` makes a root by debootstrap's rules, with systemd as PID 1 in a
privileged container, gitlab-runner as its package leaves it, and the rig's engine by its socket. It
installs dind-executor from this checkout, or a package with `--package FILE`, and calls
`dind-executor register` as an administrator would. GitLab then has one job: an image is built, and
run. Afterwards the same command must find nothing to do, and the lines that it printed must undo it.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from tests import pipelines, toml
from tests.gitlab import leftovers, runner, server, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.server import GitLab
from tests.rig import state
from tests.rig.paths import CACHE, PROJECT_FILES
from tests.rig.state import Rig

REPOSITORY = Path(__file__).parents[2]
_PACKAGES = "systemd,systemd-sysv,dbus,git,ca-certificates,procps,iproute2,kmod"
# They would change this machine: its kernel's settings, modules and devices are not the container's.
_MASKED = (
    "systemd-sysctl.service systemd-modules-load.service systemd-binfmt.service"
    " systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket"
    " systemd-udevd-control.socket kmod-static-nodes.service systemd-remount-fs.service"
    " sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount"
    " proc-sys-fs-binfmt_misc.automount getty.target console-getty.service systemd-logind.service"
    " apt-daily.timer apt-daily-upgrade.timer"
)
# systemd itself raises fs.file-max.
_INIT = "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec /sbin/init"
_SOCKET = "/var/run/docker.sock"
_SETTINGS = "/etc/dind-executor/settings.toml"
_CONFIG = "/etc/gitlab-runner/config.toml"
_SECONDS = 900
_JOB = """
first:
  script:
    - printf 'FROM busybox\\nRUN echo built >/made\\n' >Dockerfile.first
    - docker build -t first -f Dockerfile.first .
    - docker run --rm first cat /made
"""


class Host:
    """The root, in its container."""

    def __init__(self, engine: str, container: str) -> None:
        self._engine, self._container = engine, container

    def run(self, script: str, *, codes: Sequence[int] = (0,)) -> str:
        """Run a script as root; return what it prints."""
        command = [*docker(self._engine), "exec", self._container, "sh", "-ec", script]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=_SECONDS,
        )  # fmt: skip
        assert done.returncode in codes, f"{script}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def restart(self) -> None:
        """Reboot it."""
        call(*docker(self._engine), "restart", self._container)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Return when systemd has started all that it starts."""
        wait_for(
            lambda: self.run("systemctl is-system-running || true").split()[-1:] == ["running"]
        )

    def put(self, path: Path, place: str) -> None:
        """Copy a file or a directory into the root."""
        call(*docker(self._engine), "cp", "--quiet", path, f"{self._container}:{place}")

    def write(self, place: str, text: str) -> None:
        """Write a file of mode 0600."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "file"
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
            self.run(f"mkdir -p $(dirname {place})")
            self.put(path, place)


def docker(engine: str) -> list[str]:
    """Return the command that talks to an engine."""
    return ["docker", "--host", engine]


def call(*command: object) -> str:
    """Run a command; return what it prints."""
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def root(suite: str, *, has_python: bool, added: Sequence[str] = ()) -> Path:
    """Return a Debian root as a tar file, made once; `added` are more packages."""
    more = [*(["python3-venv"] if has_python else []), *added]
    name = "-".join([suite, *(["python"] if has_python else []), *added])
    path = CACHE / "roots" / f"{name}.tar"
    if not path.exists():
        print(f"Making the root {path.name} ...", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new.tar")
        included = ",".join([_PACKAGES, *more])
        call("mmdebstrap", "--variant=minbase", f"--include={included}", suite, fresh)
        fresh.replace(path)
    return path


@contextlib.contextmanager
def booted(rig: Rig, tar: Path) -> Iterator[Host]:
    """Have a root run in a container until the end of the block."""
    engine, name = rig.engine_host, f"dind-executor-first-job:{tar.stem}"
    call(*docker(engine), "import", tar, name)
    runtime = ["--runtime", rig.runtime] if rig.runtime else []
    mounts = {
        "/sys/fs/cgroup": "/sys/fs/cgroup:ro",
        engine.removeprefix("unix://"): _SOCKET,
        runner.path(): "/usr/bin/gitlab-runner:ro",
        "/etc/docker/certs.d": "/etc/docker/certs.d:ro",
    }
    volumes = [part for source, target in mounts.items() for part in ("-v", f"{source}:{target}")]
    masks = f"cd /etc/systemd/system && for each in {_MASKED}; do ln -sf /dev/null $each; done"
    container = call(
        *docker(engine), "run", "--detach", "--privileged", *runtime, *volumes,
        *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),
        # An engine's host has the address at which jobs reach what runs on it.
        *("--network", "host"),
        *("--env", "container=docker", "--stop-signal", "SIGRTMIN+3"),
        *(name, "sh", "-ec", f"{masks} && {_INIT}"),
    )  # fmt: skip
    try:
        host = Host(engine, container)
        host.wait_until_up()
        yield host
    finally:
        call(*docker(engine), "rm", "--force", "--volumes", container)
        call(*docker(engine), "rmi", name)


def wait_for(is_there: Callable[[], bool]) -> None:
    """Return when something is so."""
    deadline = time.monotonic() + _SECONDS
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def bare(host: Host, rig: Rig) -> None:
    """Have gitlab-runner as its package leaves it, and settings as an administrator writes them."""
    host.run(
        "useradd --create-home gitlab-runner\n"
        "gitlab-runner install --user gitlab-runner --working-directory /home/gitlab-runner\n"
        "gitlab-runner start"
    )
    dind: dict[str, object] = {
        "image": rig.dind_image,
        "privileged": True,
        "volumes": ["/etc/docker/certs.d:/etc/docker/certs.d:ro"],
        "registry_mirrors": [rig.mirror] if rig.mirror else [],
        **({"runtime": rig.runtime} if rig.runtime else {}),
    }
    images: dict[str, object] = {"image": "docker:26.1-cli", "helper_image": rig.helper_image}
    host.write(_SETTINGS, toml.dumps({"docker": images, "dind": dind}))


def checkout(directory: Path) -> Path:
    """Return a copy of this checkout with wheels of all that it needs, as another host makes it."""
    clone = directory / "clone"
    clone.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, clone)
    without = shutil.ignore_patterns("__pycache__")
    for name in ("executor", "hooks"):
        shutil.copytree(REPOSITORY / name, clone / name, ignore=without)
    wheels = clone / "wheels"
    call(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", wheels, clone, "setuptools"
    )
    shutil.rmtree(clone / "build", ignore_errors=True)
    return clone


def install(host: Host, source: Path) -> None:
    """Install a package, or a checkout without network."""
    if source.is_file():
        host.run(f"dpkg --install /root/{source.name}")
    else:
        host.run(f"cd /root/{source.name} && python3 -m executor install --offline wheels")


def register(host: Host, gitlab: GitLab, *more: str) -> str:
    """Call `register` as an administrator with an access token does."""
    command = ["dind-executor", "register", "--url", gitlab.url, "--create", "--group", "7"]
    command += ["--name", "first", "--gitlab-token-file", "/root/access-token", *more]
    return host.run(" ".join(command))


def first_job(gitlab: GitLab, rig: Rig, directory: Path) -> Job:
    """Return GitLab's first job, when it is over."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    pushed = Pushed(gitlab, checkout, project_variables(pipelines.variables(rig)))
    return pushed.start_only(parse_pipeline(_JOB, "first")).wait(_SECONDS)


def undo(host: Host, said: str) -> None:
    """Do what the last lines of `register` say."""
    lines = said.partition("To undo this:\n")[2].splitlines()
    host.run("\n".join(line for line in lines if not line.strip().startswith("and ")))


def run(rig: Rig, suite: str, package: Path | None, ignored: str, directory: Path) -> None:
    """Do all of it, and print the seconds."""
    clock = time.monotonic()
    laps: list[tuple[str, float]] = []

    def lap(name: str) -> None:
        nonlocal clock
        laps.append((name, time.monotonic() - clock))
        print(f"{name}: {laps[-1][1]:.1f} s", flush=True)
        clock = time.monotonic()

    tar = root(suite, has_python=package is None)
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        booted(rig, tar) as host,
    ):
        try:
            bare(host, rig)
            before = host.run(f"cat {_CONFIG}")
            user = gitlab.registry.add_user({"create_runner"}, groups={7})
            host.write("/root/access-token", user)
            source = package or checkout(directory)
            host.put(source, f"/root/{source.name}")
            lap("a bare host")
            install(host, source)
            lap("install")
            said = register(host, gitlab, *(["--ignore", ignored] if ignored else []))
            print("".join(f"  | {line}\n" for line in said.splitlines()), end="")
            lap("register")
            job = first_job(gitlab, rig, directory)
            lap("first job")
            assert job.state == "success", trace.plain(job.trace)
            assert "built" in trace.lines(job.trace)
            print(f"From install to the end of the first job: {sum(s for _, s in laps[1:]):.1f} s")
            check(host, gitlab, said, before)
        except BaseException:
            print(host.run("journalctl --no-pager --lines 60 -u gitlab-runner || true"))
            raise
        finally:
            tokens = [row.token for row in gitlab.registry.rows.values()]
            for token in tokens:
                leftovers.remove_lasting(rig.engine_host, token)


def check(host: Host, gitlab: GitLab, said: str, before: str) -> None:
    """See that all is as it was said: the service, a second call, and how to undo it."""
    shown = host.run("systemctl show -p KillMode,KillSignal,ActiveState gitlab-runner")
    assert {"KillMode=mixed", "KillSignal=3", "ActiveState=active"} <= set(shown.split()), shown
    assert "nothing to do" in register(host, gitlab)
    assert host.run(f"stat -c %a {_CONFIG}").strip() == "600"
    undo(host, said)
    assert host.run(f"cat {_CONFIG}") == before
    assert host.run("ls -A /etc/gitlab-runner").split() == [".runner_system_id", "config.toml"]
    print("The same command had nothing to do, and its last lines undid it.")
    check_tokens(host, gitlab, before)


def check_tokens(host: Host, gitlab: GitLab, before: str) -> None:
    """See that a token is verified after gitlab-runner has asked for jobs, and undone if unknown."""
    command = f"dind-executor register --url {gitlab.url} --token-file /root/token --no-job"
    row = gitlab.registry.add({"description": "second"})
    host.write("/root/token", row.token)
    said = host.run(f"{command} --name second")
    (manager,) = row.managers.values()
    assert manager.info["executor"] == "custom", manager
    undo(host, said)
    host.write("/root/token", f"glrt-{'x' * 20}")
    refused = host.run(f"{command} --name third", codes=(1,))
    assert "GitLab does not know this token" in refused, refused
    assert host.run(f"cat {_CONFIG}") == before
    print("A token was verified after the first request for jobs, and an unknown one was undone.")


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--suite", default="bookworm", help="of Debian (default: %(default)s)")
    parser.add_argument("--package", type=Path, help="a .deb to install instead of the checkout")
    parser.add_argument("--ignore", default="", help="checks of doctor that do not count")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        run(state.load(), given.suite, given.package, given.ignore, Path(directory))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
