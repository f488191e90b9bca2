"""A containerd that starts before dockerd: which sidecars have one, and who answers for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from executor.plan import dockerd
from executor.plan.containerd import with_containerd
from executor.plan.dockerd import dockerd_prelude
from executor.plan.inputs import Facts
from executor.plan.transport import Transport
from executor.shell import given
from executor.spec import ContainerSpec, ImageFacts
from tests.builders import some_inputs
from tests.keeping import shell_directory
from tests.patience import LONGEST_SECONDS

IN_EVERY_SHELL = pytest.mark.parametrize("sidecar", ["bash", "dash", "busybox"], indirect=True)
NEW = "DOCKER_VERSION=26.1.5"
MACHINES = "/run/containerd/containerd.sock"

CONTAINERD = """
import os, pathlib, signal, socket, sys
told = pathlib.Path(sys.argv[2]).read_text()
place = pathlib.Path(told.partition("address = '")[2].partition("'")[0])
if (home / "fails").exists():
    print("containerd: no luck today", file=sys.stderr)
    sys.exit(3)
def end(*_):
    say("containerd ends")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.chdir(place.parent)
socket.socket(socket.AF_UNIX).bind(place.name)
say("containerd listens")
if (home / "breaks").exists():
    os._exit(4)
while True:
    signal.pause()
"""
DOCKERD = """
import os, signal, sys
if "--version" in sys.argv:
    print("Docker version", (home / "version").read_text() + ", build x")
    sys.exit()
def end(*_):
    say("dockerd ends")
    os._exit(7)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, lambda *_: say("dockerd reloads"))
say("dockerd runs " + " ".join(sys.argv[1:]))
while True:
    signal.pause()
"""


class Sidecar:
    """A directory with a shell, a dockerd and a containerd that note what happens to them."""

    def __init__(self, directory: Path, shell: str) -> None:
        self.directory = directory
        self.programs = shell_directory(directory, shell)
        (self.programs / "sed").symlink_to(shutil.which("sed") or "")
        self.add("containerd", CONTAINERD)
        self.add("dockerd", DOCKERD)
        (directory / "version").write_text("26.1.5")
        self.state = directory / "run" / "containerd"
        self.started: list[subprocess.Popen[str]] = []

    def add(self, name: str, text: str) -> None:
        """Add a program in Python."""
        file = self.programs / name
        say = f'open({str(self.directory / "noted")!r}, "a").write(text + "\\n")'
        file.write_text(
            f"#!{sys.executable} -S\nimport pathlib\nhome = pathlib.Path({str(self.directory)!r})\n"
            f"def say(text):\n    {say}\n"
            f'import os; open({str(self.directory / "numbers")!r}, "a").write(f"{{os.getpid()}} ")\n'
            f"{text}"
        )
        file.chmod(0o755)

    @property
    def noted(self) -> list[str]:
        """Return what happened, in its order."""
        file = self.directory / "noted"
        return file.read_text().splitlines() if file.exists() else []

    def start(self, *arguments: str, says: str = NEW, config: str = "") -> subprocess.Popen[str]:
        """Start a service with these arguments for dockerd, of an image that says this of itself."""
        (self.directory / "daemon.json").write_text(config)
        prelude = dockerd_prelude(
            some_inputs(), Facts(), Transport(tls=False, cert_dir=""), ()
        ).replace("/etc/docker/daemon.json", str(self.directory / "daemon.json"))
        spec = ContainerSpec("dind", "dind", {}, "network", prelude=prelude)
        image = ImageFacts("sha256:1", environment=(says,))
        text = with_containerd(spec, image).prelude
        text = text.replace(MACHINES, str(self.directory / "machines.sock"))
        own = () if "exec-root" in config else (f"--exec-root={self.state.parent}",)
        self.started.append(
            subprocess.Popen(
                [self.programs / "sh", "-c", f'{text}exec "$@"', "sh", "dockerd", *own, *arguments],
                env={"PATH": str(self.programs)},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self.started[-1]

    def await_notes(self, *notes: str) -> None:
        """Wait until all of this has happened."""
        eventually(lambda: all(any(n.startswith(each) for n in self.noted) for each in notes))

    def numbers(self) -> tuple[int, ...]:
        """Return the processes that answer for containerd, dockerd and containerd."""
        ours, theirs = self.state / "dind-executor", self.state / "containerd.pid"
        # A file may be there before what is written to it.
        eventually(lambda: all(each.exists() and each.read_text() for each in (ours, theirs)))
        _, watcher, daemon = ours.read_text().split()
        return int(watcher), int(daemon), int(theirs.read_text())

    def close(self) -> None:
        """End what may be left."""
        for each in self.started:
            each.kill()
        file = self.state / "dind-executor"
        left = file.read_text().split() if file.exists() else []
        for number in (*left, *(self.directory / "numbers").read_text().split()):
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)
        # Only now: what they have started holds their output open.
        for each in self.started:
            each.communicate()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fails the test where it does not."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(number: int) -> bool:
    """Tell whether a process has ended, also if nobody has reaped it."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def sidecar(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sidecar]:
    """Return a place for a dockerd and its containerd, with the shell of the official images."""
    monkeypatch.setattr(dockerd, "_DIRECTORY", f"{tmp_path}/bin")
    made = Sidecar(tmp_path, getattr(request, "param", "busybox"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("DOCKER_VERSION=25.0.0", "one"),
        ("DOCKER_VERSION=26.1.5", "one"),
        ("DOCKER_VERSION=27.5.1-rc.1", "one"),
        ("DOCKER_VERSION=24.0.9", "none"),
        ("DOCKER_VERSION=28.0.0", "none"),
        ("DOCKER_VERSION=v29.1.0", "none"),
        ("DOCKER_VERSION=", "asks"),
        ("DOCKER_VERSION=stable", "asks"),
        ("DOCKER_TLS_CERTDIR=/certs", "asks"),
    ],
)
def test_which_images_have_one(says: str, found: str) -> None:
    """Those whose dockerd is slow without; one that does not say its version asks dockerd."""
    spec = ContainerSpec("dind", "dind", {}, "network", prelude="prelude")
    prelude = with_containerd(spec, ImageFacts("sha256:1", environment=(says,))).prelude

    assert prelude.endswith("prelude")
    asks = given(_ask="yes").strip().replace("'", "'\\''") in prelude
    assert found == ("asks" if asks else "one" if "_containerd=" in prelude else "none")


@IN_EVERY_SHELL
def test_it_ends_after_dockerd(sidecar: Sidecar) -> None:
    """The service is told of dockerd's signals, has its exit code, and leaves nothing behind."""
    service = sidecar.start("--debug")
    sidecar.await_notes("containerd listens", "dockerd runs")
    numbers = sidecar.numbers()
    assert f"--containerd={sidecar.state}/containerd.sock" in sidecar.noted[-1] + sidecar.noted[-2]
    service.send_signal(signal.SIGHUP)
    sidecar.await_notes("dockerd reloads")
    service.send_signal(signal.SIGTERM)

    assert service.wait(LONGEST_SECONDS) == 7
    assert sidecar.noted[-2:] == ["dockerd ends", "containerd ends"]
    assert all(map(is_gone, numbers))
    assert sorted(each.name for each in sidecar.state.iterdir()) == ["containerd.toml"]


@IN_EVERY_SHELL
def test_one_that_dies_is_started_again(sidecar: Sidecar) -> None:
    """dockerd goes on, and the log says what happened."""
    service = sidecar.start()
    sidecar.await_notes("containerd listens", "dockerd runs")
    watcher, daemon, first = sidecar.numbers()
    subprocess.run(["kill", "-KILL", str(first)], check=True)
    eventually(lambda: sidecar.noted.count("containerd listens") == 2)
    eventually(lambda: sidecar.numbers()[2] != first)

    assert sidecar.numbers()[:2] == (watcher, daemon)
    assert not is_gone(daemon)
    service.terminate()
    _, log = service.communicate(timeout=LONGEST_SECONDS)
    assert log.endswith("containerd has ended (exit code 137) and is started again\n")
    assert sidecar.noted[-2:] == ["dockerd ends", "containerd ends"]


@IN_EVERY_SHELL
def test_one_that_cannot_start(sidecar: Sidecar) -> None:
    """The service ends with what containerd says, as dockerd does that starts its own."""
    (sidecar.directory / "fails").touch()
    service = sidecar.start()
    _, log = service.communicate(timeout=LONGEST_SECONDS)

    assert service.returncode == 1
    assert "containerd: no luck today\n" in log
    assert "dind-executor: containerd does not run (exit code 3): dockerd ends too\n" in log
    assert "dockerd ends" not in sidecar.noted


def test_one_that_ends_again_and_again(sidecar: Sidecar) -> None:
    """It is started five times, and the service ends with what it said last."""
    (sidecar.directory / "breaks").touch()
    service = sidecar.start()
    _, log = service.communicate(timeout=LONGEST_SECONDS)

    assert service.returncode == 1
    assert "dind-executor: containerd does not run (exit code 4): dockerd ends too\n" in log
    assert sidecar.noted.count("containerd listens") == 5


@IN_EVERY_SHELL
@pytest.mark.parametrize("killed", ["dockerd", "what was started", "every shell"])
def test_a_dockerd_that_is_killed_and_started_once_more(sidecar: Sidecar, killed: str) -> None:
    """The new one has a containerd of its own, and nothing is left of the old ones."""
    first = sidecar.start()
    sidecar.await_notes("containerd listens", "dockerd runs")
    watcher, daemon, containerd = sidecar.numbers()
    if killed == "dockerd":
        subprocess.run(["kill", "-KILL", str(daemon)], check=True)
        assert first.wait(LONGEST_SECONDS) == 137
    else:
        first.kill()
        first.wait()
        if killed == "every shell":
            subprocess.run(["kill", "-KILL", str(watcher)], check=True)
    second = sidecar.start()
    eventually(lambda: sidecar.noted.count("containerd listens") == 2)
    eventually(
        lambda: len([each for each in sidecar.noted if each.startswith("dockerd runs")]) == 2
    )

    assert all(map(is_gone, (watcher, daemon, containerd)))
    assert set(sidecar.numbers()).isdisjoint({watcher, daemon, containerd})
    second.terminate()
    assert second.wait(LONGEST_SECONDS) == 7


@pytest.mark.parametrize(
    ("arguments", "config", "root", "run", "more"),
    [
        ((), "", "/var/lib/docker", "", ("format = 'text'", "--log-level warn")),
        (("--data-root=/a/b",), "", "/a/b", "", ()),
        (("-g", "/a/b", "-D"), "", "/a/b", "", ("--log-level debug",)),
        (("-l=warn", "--log-format", "json"), "", "/var/lib/docker", "", ("format = 'json'",)),
        ((), '{"data-root": "/c", "log-level" :"debug"}', "/c", "", ("--log-level debug",)),
        ((), '{"debug": true, "exec-root": "@/other"}', "/var/lib/docker", "other", ()),
    ],
)
def test_it_has_the_places_of_dockerds_own(
    sidecar: Sidecar, arguments: tuple[str, ...], config: str, root: str, run: str, more: tuple[str]
) -> None:
    """What dockerd's arguments and its daemon.json say of directories and logs counts for it."""
    sidecar.state = sidecar.directory / (run or "run") / "containerd"
    service = sidecar.start(*arguments, config=config.replace("@", str(sidecar.directory)))
    sidecar.await_notes("containerd listens", "dockerd runs")
    *_, number = sidecar.numbers()
    told = (sidecar.state / "containerd.toml").read_text()
    asked = Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")

    assert f"root = '{root}/containerd/daemon'\nstate = '{sidecar.state}/daemon'\n" in told
    assert 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' in told
    assert all(each in told + asked for each in more)
    service.terminate()
    service.wait(LONGEST_SECONDS)


@pytest.mark.parametrize(
    ("arguments", "says", "config", "version"),
    [
        (("--containerd=/its/own.sock",), NEW, "", ""),
        (("--containerd=",), NEW, "", ""),
        (("--cri-containerd",), NEW, "", ""),
        ((), NEW, '{"containerd": "/its/own.sock"}', ""),
        (("--data-root=/a b",), NEW, "", ""),
        ((), NEW, '{"data-root":\n"/c"}', ""),
        (("-Dg", "/a"), NEW, "", ""),
        ((), "DOCKER_VERSION=28.0.0", "", ""),
        ((), "NOTHING=", "", "24.0.9"),
        ((), "NOTHING=", "", "28.1.0"),
    ],
)
def test_where_there_is_none(
    sidecar: Sidecar, arguments: tuple[str, ...], says: str, config: str, version: str
) -> None:
    """dockerd finds or starts its own where somebody says so, or where that is fast."""
    (sidecar.directory / "version").write_text(version)
    service = sidecar.start(*arguments, says=says, config=config)
    sidecar.await_notes("dockerd runs")

    assert f"{sidecar.state}/containerd.sock" not in sidecar.noted[-1]
    service.terminate()
    assert service.wait(LONGEST_SECONDS) == 7
    assert sidecar.noted[-1] == "dockerd ends"
    assert "containerd listens" not in sidecar.noted


def test_an_image_without_a_containerd(sidecar: Sidecar) -> None:
    """dockerd is started as it is, and may say what it misses."""
    (sidecar.programs / "containerd").unlink()
    service = sidecar.start()
    sidecar.await_notes("dockerd runs")

    assert "--containerd" not in sidecar.noted[-1]
    service.terminate()
    assert service.wait(LONGEST_SECONDS) == 7


def test_a_sidecar_with_kept_layers_has_the_program_in_any_version() -> None:
    """It begins one only where the layers are in containerd."""
    spec = ContainerSpec("d", "i", {}, "n", prelude="x")
    quick = ImageFacts("x", environment=("DOCKER_VERSION=29.7.2",))

    assert with_containerd(spec, quick) == spec
    kept = with_containerd(spec, quick, keeps_layers=True).prelude
    assert given(_ask="", _only="yes").replace("'", "'\\''") in kept
    slow = with_containerd(spec, ImageFacts("x", environment=(NEW,)), keeps_layers=True)
    assert slow == with_containerd(spec, ImageFacts("x", environment=(NEW,)))
