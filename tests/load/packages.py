"""A package on hosts that have nothing else: installed, upgraded and rolled back under a job, removed.

`python -m tests.load.packages DIST [--suite bullseye]` takes the deb of a directory that `.ci/package` has
filled. Each root is a minimal one of Debian, and the jobs in it are real ones, on the engine of the rig, whose
socket the root has. It fails where a library is missing, a job changes its version, or a file is left.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.rig import debian, state
from tests.stages.calls import JobCalls, Running, as_gitlab_runner
from tests.stages.conftest import settings_text
from tests.stages.request import JobRequest

NEXT = "99.0.0"
SOCKET = "/run/dind-executor-rig/docker.sock"
_OPT = "/opt/dind-executor"
_DIRECTORY = "DIND_EXECUTOR_PACKAGES_TRIED_IN"
_BUILD = ("printf 'FROM alpine\\nRUN echo built >/made\\n' >Dockerfile", "docker build -q .")
_MODULES = """\
import importlib, pkgutil, executor, docker, gitlab, yaml, prometheus_client, cryptography.x509
names = [each.name for each in pkgutil.walk_packages(executor.__path__, "executor.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
_LIBRARIES = """\
find /opt/dind-executor/current/ -type f \\( -name '*.so*' -o -name 'python3.*' \\) | while read -r file; do
    ldd "$file" 2>/dev/null | grep 'not found' && echo "$file"
done; true
"""


class Root:
    """A minimal root of a release, with the rig's engine in reach."""

    def __init__(self, path: Path, suite: str, kept: Path) -> None:
        self.path = path
        archived = kept / f"{suite}.tar"
        if not archived.exists():
            _make_root(suite, archived)
        path.mkdir()
        command = ["tar", "--extract", "--exclude=./dev/*", "--file", str(archived)]
        subprocess.run([*command, "--directory", str(path)], check=True)

    @contextmanager
    def mounted(self, *paths: str) -> Iterator[None]:
        """Have things of this host at the same places for a while, and never longer than the root."""
        done: list[str] = []
        try:
            for each in paths:
                place = self.path / each.lstrip("/")
                if Path(each).is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.touch()
                kind = ["-t", "proc", "proc"] if each == "/proc" else ["--bind", each]
                subprocess.run(["mount", *kind, str(place)], check=True)
                done.insert(0, str(place))
            yield
        finally:
            for each in done:
                if subprocess.run(["umount", each], check=False).returncode:
                    # Whatever removes the root must not get there.
                    os._exit(3)

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command in it and return what it printed."""
        done = subprocess.run(
            ["chroot", str(self.path), *command], check=False, capture_output=True, text=True
        )
        assert done.returncode == code, (command, done)
        return done.stdout + done.stderr

    def files(self) -> set[str]:
        """Return what lies in it, where packages may leave something."""
        places = ("etc", "opt", "usr", "var")
        found = (each for place in places for each in (self.path / place).rglob("*"))
        return {str(each.relative_to(self.path)) for each in found}

    def install(self, package: Path) -> None:
        """Install a deb with dpkg."""
        place = self.path / package.name
        place.write_bytes(package.read_bytes())
        self.run("dpkg", "--install", f"/{package.name}")
        place.unlink()

    def remove(self, code: int = 0) -> str:
        """Remove dind-executor, and return what was said."""
        return self.run("dpkg", "--remove", "dind-executor", code=code)


def _make_root(suite: str, archived: Path) -> None:
    archive = debian.archive().uri
    options = ["--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io", "--include=python3"]
    line = f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {archive} {suite} main"
    part = archived.with_suffix(".part.tar")
    subprocess.run(["mmdebstrap", *options, suite, str(part), line], check=True)
    part.rename(archived)


class Job(JobCalls):
    """A job whose stages run in a root."""

    root: Root
    versions: list[str]

    def start(self, stage: str, *args: str, program: Sequence[str] = ()) -> Running:
        """Start a stage with the hook that the root has, and look which version that is."""
        hook = ("chroot", str(self.root.path), f"{_OPT}/hooks/{stage}")
        running = super().start(stage, *args, program=program or hook)
        if stage != "config":
            self.versions += self._version(running)
        return running

    def _version(self, running: Running) -> list[str]:
        """Return the version of the interpreter that the call becomes; none if it ends before a look."""
        inside = re.compile(f"{_OPT}/(?P<version>[^/]+)/bin/python")
        program = Path(f"/proc/{running.process.pid}/exe")
        with suppress(OSError):
            while running.process.poll() is None:
                if found := inside.search(str(program.readlink())):
                    return [found["version"]]
        return []


@contextmanager
def a_job(root: Root, directory: Path, number: int) -> Iterator[Job]:
    """Have a job, and nothing of it afterwards."""
    rig = state.load()
    settings = directory / f"settings-{number}.toml"
    log = {"log": {"path": str(directory / f"log-{number}")}}
    settings.write_text(settings_text(rig, log), encoding="utf-8")
    job = Job(JobRequest(image="docker:26.1-cli"), directory, settings)
    job.root, job.versions = root, []
    try:
        yield job
    finally:
        job.cleanup()
        shutil.rmtree(job.temp)  # as gitlab-runner does


def next_version(package: Path, directory: Path) -> Path:
    """Return the same package as a later version, with a module more and a module less."""
    tree = directory / "next"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub("^Version: .*", f"Version: {NEXT}", text, flags=re.MULTILINE))
    place = tree / f"{_OPT[1:]}/package"
    (modules,) = place.glob("lib/python3.*/site-packages/executor")
    own = modules / "__init__.py"
    own.write_text(re.sub('(__version__ = ").*"', rf'\g<1>{NEXT}"', own.read_text()))
    for compiled in modules.glob("__pycache__/__init__.*.pyc"):
        compiled.unlink()
    (modules / "another.py").write_text("")
    (place / "BUILD").write_text(f"dind-executor {NEXT}\n")
    (tree / "DEBIAN/md5sums").unlink(missing_ok=True)
    made = directory / f"dind-executor_{NEXT}.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--build", str(tree), str(made)], check=True)
    return made


def try_suite(suite: str, package: Path, later: Path, directory: Path, kept: Path) -> None:
    """Go through the life of a host.  Raises AssertionError."""
    root = Root(directory / suite, suite, kept)
    before = root.files()
    says = root.run("python3", "--version").strip()
    root.install(package)
    version = root.run("dind-executor", "--version").split()[-1]
    print(f"{suite}: its own is {says}; installed {version}")
    assert root.run("sh", "-c", _LIBRARIES) == ""
    python = f"{_OPT}/current/bin/python"
    print(f"{suite}: {root.run(python, '-I', '-c', _MODULES).strip()} modules load")

    with root.mounted("/proc", SOCKET, str(directory / "jobs")):
        upgrade_under_jobs(root, later, version, directory / "jobs")
    print(f"{suite}: upgraded and rolled back under jobs, each kept its version")

    check_removal(root, before)
    root.run("dpkg", "--purge", "dind-executor")
    assert not (root.path / "etc/dind-executor").exists()
    print(f"{suite}: removed, and only the settings were left")


def check_removal(root: Root, before: set[str]) -> None:
    """See that a removal leaves the settings, and nothing else.  Raises AssertionError."""
    assert "The settings stay in /etc/dind-executor." in root.remove()
    after = {each for each in root.files() - before if not each.startswith("var/lib/dpkg")}
    assert {each for each in after if "dind-executor" in each} == {
        "etc/dind-executor",
        "etc/dind-executor/settings.toml",
    }, after


def upgrade_under_jobs(root: Root, later: Path, version: str, directory: Path) -> None:
    """Run three jobs that overlap with an upgrade and a rollback.  Raises AssertionError."""
    with a_job(root, directory, 1) as first:
        first.up()
        refusal = root.remove(code=1)
        assert f"1 still running: job {first.id} of project" in refusal, refusal
        root.install(later)
        with a_job(root, directory, 2) as second:
            second.up()
            assert _is_built(first)
            root.run("dind-executor", "rollback")
            assert _is_built(second)
            with a_job(root, directory, 3) as third:
                third.up()
                assert _is_built(third)
                third.cleanup().passed()
            second.cleanup().passed()
        first.cleanup().passed()
        used = [sorted(set(each.versions)) for each in (first, second, third)]
        assert used == [[version], [NEXT], [version]], used
        assert min(len(each.versions) for each in (first, second, third)) >= 3


def _is_built(job: Job) -> bool:
    """Tell whether a real build ends well."""
    return job.script(*_BUILD).passed().code == 0


def main() -> int:
    """Try the package in each suite; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dist", type=Path)
    parser.add_argument("--suite", action="append", default=None)
    parser.add_argument("--roots", type=Path, help="keep the roots there, for the next call")
    options = parser.parse_args()
    directory = own_mounts("tests.load.packages")
    (package,) = options.dist.absolute().glob("dind-executor_*_amd64.deb")
    with as_gitlab_runner():
        later = next_version(package, directory)
        for suite in options.suite or ["bullseye", "bookworm"]:
            try_suite(suite, package, later, directory, (options.roots or directory).absolute())
    shutil.rmtree(directory)
    return 0


def own_mounts(module: str) -> Path:
    """Return a directory, in a process of which nobody sees what it mounts; called first."""
    if _DIRECTORY not in os.environ:
        # What is mounted goes with that process, which looks like a gitlab-runner with these jobs.
        directory = Path(tempfile.mkdtemp())
        (directory / "jobs").mkdir()
        ours = {_DIRECTORY: str(directory), "TMPDIR": str(directory / "jobs")}
        command = ["unshare", "--mount", sys.executable, "-m", module, *sys.argv[1:]]
        os.execvpe("unshare", command, {**os.environ, **ours})
    return Path(os.environ[_DIRECTORY])


if __name__ == "__main__":
    sys.exit(main())
