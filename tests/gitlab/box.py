"""A host for gitlab-runner in a container: an engine of its own, on which docs/container.md is followed.

The host is a container of the rig's engine, so that the page's commands, paths and names are taken
as they are written and meet nothing of this machine.  Two things stand in for what is out of reach:
the image of gitlab-runner is the rig's, under the name that the page gives it, and pip finds its
packages in that image.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from executor.names import LABEL
from tests import planning, recording, toml
from tests.gitlab.server import GitLab
from tests.rig.catalogue import RUNNER
from tests.rig.paths import CACHE
from tests.rig.state import Rig
from tests.stages.witness import eventually

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs/container.md"
CLONE = "/root/dind-executor"
NAME = "gitlab-runner"
"""How the page calls the container."""
_NOTES = Path("/opt/recorder/notes")
_RECORDER = Path("/opt/recorder/recorder.py")
_HOOK = "/opt/dind-executor/hooks/prepare"
_RECORDING = f"""\
#!/bin/sh
trap '' QUIT
exec /opt/dind-executor/current/bin/python -I {_RECORDER} "$@"
"""
_PATIENCE_SECONDS = 600
_CONFIG = "config/config.toml"
_SETTINGS = "dind-executor/settings.toml"
_BASE = f"FROM {{}}/{RUNNER}\nCOPY wheels /opt/wheels\nCOPY pip.conf /etc/pip.conf\n"
_PIP = "[global]\nno-index = true\nfind-links = /opt/wheels\n"
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")


class Box:
    """The host."""

    def __init__(self, container: Container, address: str, rig: Rig) -> None:
        self._container = container
        self._rig = rig
        self._compared: set[str] = set()
        self.address = address
        self.client = docker.DockerClient(
            base_url=address, version="auto", timeout=_PATIENCE_SECONDS
        )

    def run(self, *scripts: str) -> str:
        """Run shell commands on the host, in the clone; return what they print."""
        code, output = self._container.exec_run(
            ["sh", "-ec", "\n".join(scripts)], workdir=CLONE, environment={"PWD": CLONE}
        )
        assert isinstance(output, bytes)
        text = output.decode(errors="replace")
        assert code == 0, f"{scripts}\n{text}"
        return text

    def put(self, directory: str, files: Mapping[str, bytes]) -> None:
        """Write files below a directory of the host."""
        named = {f"{directory}/{name}": content for name, content in files.items()}
        self._container.put_archive("/", packed(named))

    def start(self, gitlab: GitLab, name: str = NAME) -> None:
        """Do what the page says, from the configuration on; a second runner has another name."""
        self.run(*(renamed(each, name) for each in commands("Write the configuration")))
        self._fill_in(gitlab, f"/srv/{name}")
        self.run(*(renamed(each, name) for each in commands("Start it")))
        self.record(name)

    def record(self, name: str = NAME) -> None:
        """Have prepare note in a runner's container what it does, where each call is noted."""
        if recording.recorder():
            container = self.runner(name)
            files = {str(_NOTES / ".there"): b"", str(_RECORDER): recording.text(_NOTES).encode()}
            container.put_archive("/", packed({**files, _HOOK: _RECORDING.encode()}))

    def compare(self) -> None:
        """Compare what the runners' containers have noted, in which no prepare is going on."""
        if not recording.recorder():
            return
        for container in self.client.containers.list(all=True):
            with tempfile.TemporaryDirectory() as name, suppress(NotFound):
                pieces, _ = container.get_archive(f"{_NOTES}/.")
                with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
                    tar.extractall(name, filter="data")
                for note in Path(name).glob("*.jsonl"):
                    if note.name not in self._compared:
                        self._compared.add(note.name)
                        planning.compare(note)

    def _fill_in(self, gitlab: GitLab, directory: str) -> None:
        """Write what the page leaves to the administrator."""
        config = self.run(f"cat {directory}/{_CONFIG}")
        for example, own in (
            ("https://gitlab.example.com", gitlab.url),
            ("glrt-REPLACE-ME", gitlab.runner_token),
        ):
            assert config.count(f'"{example}"') == 1
            config = config.replace(f'"{example}"', f'"{own}"')
        tables = tomllib.loads(self.run(f"cat {directory}/{_SETTINGS}"))
        for name, keys in self._settings().items():
            tables[name] = {**tables.get(name, {}), **keys}
        written = {_CONFIG: config.encode(), _SETTINGS: toml.dumps(tables).encode()}
        self.put(directory, written)
        self.run(f"chmod 600 {directory}/{_CONFIG}")

    def _settings(self) -> dict[str, dict[str, object]]:
        """Return what dind-executor needs to know of the rig."""
        return {
            "docker": {"image": "docker:26.1-cli", "helper_image": self._rig.helper_image},
            "dind": {
                "image": "docker:26.1-dind",
                "volumes": ["/etc/docker/certs.d:/etc/docker/certs.d:ro"],
                "registry_mirrors": [self._rig.mirror] if self._rig.mirror else [],
            },
        }

    def runner(self, name: str = NAME) -> Container:
        """Return the container of gitlab-runner."""
        return self.client.containers.get(name)

    def log(self, name: str = NAME) -> str:
        """Return what gitlab-runner says about itself."""
        return str(self.runner(name).logs().decode(errors="replace"))

    def objects(self) -> list[str]:
        """Return what bears the label of a job."""
        api, wanted = self.client.api, {"label": LABEL}
        return [
            *(each["Names"][0] for each in api.containers(all=True, filters=wanted)),
            *(each["Name"] for each in api.networks(filters=wanted)),
            *(each["Name"] for each in api.volumes(filters=wanted)["Volumes"] or ()),
        ]


@contextmanager
def box(
    rig: Rig,
    make_base: Callable[[Box, Rig], None] | None = None,
    packages: Mapping[str, bytes] | None = None,
) -> Iterator[Box]:
    """Run the host, where somebody has built the image as the page says.

    `make_base` makes the image that the page begins with; `packages` lie in the clone's `dist`.
    """
    own = docker.DockerClient(base_url=rig.engine_host, version="auto", timeout=_PATIENCE_SECONDS)
    with closing(own) as outer:
        outer.images.pull("docker:26.1-dind")
        container = outer.containers.create(
            "docker:26.1-dind",
            ["--tls=false", *([f"--registry-mirror={rig.mirror}"] if rig.mirror else [])],
            privileged=True,
            runtime=rig.runtime,
            environment={"DOCKER_TLS_CERTDIR": ""},
            tmpfs={"/var/lib/docker": "size=6g,exec"},
            volumes={"/etc/docker/certs.d": {"bind": "/etc/docker/certs.d", "mode": "ro"}},
        )
        try:
            container.start()
            eventually(lambda: b"API listen on [::]" in container.logs(), "the engine listens")
            container.reload()
            address = container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
            made = Box(container, f"tcp://{address}:2375", rig)
            with closing(made.client):
                made.put(CLONE, _clone())
                if packages:
                    made.put(f"{CLONE}/dist", packages)
                (make_base or _make_base)(made, rig)
                made.run(*commands("Build the image"))
                yield made
                made.compare()
        finally:
            container.remove(force=True, v=True)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a tar archive, by their whole paths."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755 if content[:2] == b"#!" else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def commands(section: str) -> list[str]:
    """Return the commands of a section of the page, as they are written."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2]
    found = re.findall(r"^```sh\n(.*?)^```$", text.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    assert found, f"{PAGE.name} has no commands in {section!r}"
    return [str(each) for each in found]


def renamed(script: str, name: str) -> str:
    """Return the commands of the page for a runner of another name."""
    return script.replace(f"/srv/{NAME}/", f"/srv/{name}/").replace(
        f"--name {NAME}", f"--name {name}"
    )


def _clone() -> dict[str, bytes]:
    """Return the files of the repository, also those that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return {
        name: (REPOSITORY / name).read_bytes() for name in listed if (REPOSITORY / name).is_file()
    }


def _make_base(made: Box, rig: Rig) -> None:
    """Make the image that the page names as the base, of the rig's one and of packages for pip."""
    image = rig.special(RUNNER)
    version = made.run(f"docker run --rm --entrypoint python3 {image} --version").split()[-1]
    wheels = {f"wheels/{each.name}": each.read_bytes() for each in _wheels(version)}
    files = {"Dockerfile": _BASE.format(rig.hub).encode(), "pip.conf": _PIP.encode(), **wheels}
    made.put("/root/base", files)
    made.run(f"docker build --quiet --tag {base_name()} /root/base")


def base_name() -> str:
    """Return the name of the image that the page begins with."""
    text = (REPOSITORY / "deploy/container/Dockerfile").read_text(encoding="utf-8")
    (name,) = re.findall("ARG RUNNER_IMAGE=(.*)", text)
    return str(name)


def _wheels(version: str) -> list[Path]:
    """Return the packages that the installation needs under another Python; they are downloaded once."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    short = "".join(version.split(".")[:2])
    key = hashlib.sha256(json.dumps([wanted, short]).encode()).hexdigest()[:12]
    kept = CACHE / f"wheels-{key}"
    if not kept.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=CACHE))
        _download(fresh, wanted, short)
        try:
            fresh.rename(kept)
        except OSError:  # somebody else was faster
            shutil.rmtree(fresh)
    return sorted(kept.iterdir())


def _download(target: Path, wanted: list[str], python: str) -> None:
    platforms = [f"--platform={each}_{os.uname().machine}" for each in _PLATFORMS]
    abis = [f"--abi={each}" for each in (f"cp{python}", "abi3", "none")]
    choice = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    subprocess.run([*command, *choice, *platforms, *abis, f"--dest={target}", *wanted], check=True)
