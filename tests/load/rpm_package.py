"""The rpm on a host that has nothing else: installed, upgraded and rolled back under a job, removed.

`python -m tests.load.rpm_package DIST` takes the rpm and the archive of a directory that `.ci/package`
has filled, and this machine's `rpm`. The root is a minimal one of Debian 11 with a database of rpm: what
an rpm distribution brings stands in it as packages without files (glibc, a shell). So dnf is not tried,
nor what SELinux thinks; the order of the scripts and the files that they leave are rpm's own.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from deploy.packages import HERE, formats
from deploy.packages.tree import seal
from executor import __version__
from tests.load.packages import NEXT, SOCKET, Root, check_removal, own_mounts, upgrade_under_jobs
from tests.stages.calls import as_gitlab_runner

_DATABASE = "/var/lib/rpm"
_EPOCH = 1_700_000_000


class RpmRoot(Root):
    """A root whose packages rpm knows."""

    def __init__(self, path: Path, kept: Path) -> None:
        super().__init__(path, "bullseye", kept)
        self.rpm("--initdb")

    def rpm(self, *args: str, code: int = 0) -> str:
        """Call this machine's rpm for the root; return what it prints."""
        command = ["rpm", "--root", str(self.path), "--dbpath", _DATABASE, *args]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert done.returncode == code, (command, said)
        assert "scriptlet failed" not in said or code, said
        return said

    def install(self, package: Path) -> None:
        """Install or upgrade a package; `dnf install FILE` does the same."""
        self.rpm("--upgrade", str(package))

    def remove(self, code: int = 0) -> str:
        """Remove dind-executor, and return what was said."""
        return self.rpm("--erase", "dind-executor", code=code)


def nfpm_of(directory: Path) -> Path:
    """Return the program that makes packages, as builds take it."""
    place = directory / "tools"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    locked = ["--require-hashes", "--no-deps", "-r", str(HERE / "tools.txt")]
    subprocess.run([*pip, "--target", str(place), *locked], check=True)
    return place / "bin/nfpm"


def base_package(directory: Path, nfpm: Path) -> Path:
    """Return a package without files, in the place of what an rpm distribution has."""
    described = (
        '{"name": "glibc", "version": "2.31", "release": "1", "arch": "amd64", "platform": "linux",'
        ' "description": "stands for a distribution", "provides": ["/bin/sh"]}'
    )
    configuration = directory / "base.json"
    configuration.write_text(described, encoding="utf-8")
    made = directory / "glibc-2.31-1.x86_64.rpm"
    command = [str(nfpm), "package", "--config", str(configuration), "--packager", "rpm"]
    subprocess.run([*command, "--target", str(made)], check=True, capture_output=True)
    return made


def next_version(dist: Path, directory: Path, nfpm: Path) -> Path:
    """Return the archive's tree as the rpm of a later version, with a module more."""
    with tarfile.open(dist / f"dind-executor-{__version__}-linux-amd64.tar.gz") as archive:
        archive.extractall(directory / "next", filter="tar")
    (tree,) = (directory / "next").iterdir()
    (modules,) = tree.glob("lib/python3.*/site-packages/executor")
    own = modules / "__init__.py"
    own.write_text(re.sub('(__version__ = ").*"', rf'\g<1>{NEXT}"', own.read_text()))
    for compiled in modules.glob("__pycache__/__init__.*.pyc"):
        compiled.unlink()
    (modules / "another.py").write_text("")
    (tree / "BUILD").unlink()
    seal(tree, NEXT, "amd64")
    return formats.package("rpm", tree, NEXT, "amd64", _EPOCH, directory, nfpm)


def life(dist: Path, directory: Path, kept: Path) -> None:
    """Go through the life of a host.  Raises AssertionError."""
    root = RpmRoot(directory / "root", kept)
    nfpm = nfpm_of(directory)
    package = dist / f"dind-executor-{__version__}-1.x86_64.rpm"
    refused = root.rpm("--upgrade", "--test", str(package), code=1)
    assert "glibc >= 2.31 is needed" in refused, refused
    root.install(base_package(directory, nfpm))
    before = root.files()
    root.install(package)
    version = root.run("dind-executor", "--version").split()[-1]
    assert root.rpm("--verify", "dind-executor") == ""
    print(f"rpm: installed {version}; rpm's own check of the files finds nothing")

    later = next_version(dist, directory, nfpm)
    with root.mounted("/proc", SOCKET, str(directory / "jobs")):
        upgrade_under_jobs(root, later, version, directory / "jobs")
    assert root.rpm("--verify", "dind-executor") == ""
    print("rpm: upgraded and rolled back under jobs, each kept its version")

    root.rpm("--upgrade", "--oldpackage", str(package))
    assert root.run("dind-executor", "--version").split()[-1] == version
    check_removal(root, before)
    print("rpm: an older package was a way back; removed, and only the settings were left")


def main() -> int:
    """Try the package; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dist", type=Path)
    parser.add_argument("--roots", type=Path, help="keep the root there, for the next call")
    options = parser.parse_args()
    directory = own_mounts("tests.load.rpm_package")
    with as_gitlab_runner():
        life(options.dist.absolute(), directory, (options.roots or directory).absolute())
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
