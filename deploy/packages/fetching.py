"""Brings what comes from elsewhere into one directory: Debian's sources, a root to build in, wheels, tools.

Debian's archive is the one that this machine's apt uses; apt and mmdebstrap check its signatures.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from deploy.packages import (
    ARCHITECTURES,
    HERE,
    PYTHON,
    ROOT,
    SOURCES,
    SOURCES_SUITE,
    SUITE,
    BuildError,
)

REQUIREMENTS = HERE / "requirements.txt"
TOOLS = HERE / "tools.txt"
BUILD_ROOT = "root.tar"

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PACKAGES = "build-essential,crossbuild-essential-arm64,perl"
_APT = """\
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::status "{apt}/status";
Dir::State::lists "{apt}/lists";
Dir::Cache "{apt}";
APT::Sandbox::User "";
Debug::NoLocking "true";
"""


def fetch(sources: Path) -> None:
    """Fetch everything that is not there yet."""
    sources.mkdir(parents=True, exist_ok=True)
    archive = _archive()
    for name in SOURCES:
        if not list(sources.glob(f"{name}_*.dsc")):
            _fetch_source(sources, archive, name)
    if not (sources / BUILD_ROOT).exists():
        _fetch_root(sources / BUILD_ROOT, archive)
    for kernel_name in ARCHITECTURES.values():
        options = ["--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)]
        _download(sources / f"wheels-{kernel_name}", [*_platform(kernel_name), *options])
    _download(sources / "tools", ["--require-hashes", "--no-deps", "-r", str(TOOLS)])


def lock(requirements: list[str], sources: Path) -> str:
    """Return the newest wheels of all that is required, as `requirements.txt` has them."""
    hashes: dict[str, set[str]] = {}
    for kernel_name in ARCHITECTURES.values():
        directory = sources / f"newest-{kernel_name}"
        _download(directory, [*_platform(kernel_name), *requirements])
        for wheel in directory.glob("*.whl"):
            name, version, *_ = wheel.name.split("-")
            key = f"{name.lower().replace('_', '-')}=={version}"
            hashes.setdefault(key, set()).add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    head = "# What pyproject.toml requires, and what that requires. `.ci/package --update` writes this.\n"
    lines = (
        " \\\n    ".join([key, *(f"--hash=sha256:{each}" for each in sorted(hashes[key]))])
        for key in sorted(hashes)
    )
    return head + "".join(f"{line}\n" for line in lines)


def _archive() -> str:
    """Return the address of Debian's archive, as this machine's apt knows it."""
    form = "$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    for line in _run(command).splitlines():
        origin, uri, codename, component = line.split("|")
        if origin == "Debian" and component == "main" and "-" not in codename:
            return uri.rstrip("/")
    raise BuildError("apt knows no archive of Debian on this machine: run `apt-get update`.")


def _suites(archive: str, suite: str) -> tuple[tuple[str, str], ...]:
    return (archive, suite), (f"{archive}-security", f"{suite}-security")


def _fetch_source(sources: Path, archive: str, name: str) -> None:
    """Fetch the newest source package that the archive has, and not only its index."""
    apt = sources / "apt"
    (apt / "lists/partial").mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    configuration = apt / "apt.conf"
    environ = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C.UTF-8"}
    if not configuration.exists():
        lines = (
            f"deb-src [signed-by={_KEYRING}] {uri} {suite} main\n"
            for uri, suite in _suites(archive, SOURCES_SUITE)
        )
        (apt / "sources.list").write_text("".join(lines), encoding="utf-8")
        configuration.write_text(_APT.format(apt=apt.absolute()), encoding="utf-8")
        _run(["apt-get", "-q", "update", "-o", "APT::Update::Error-Mode=any"], environ)
    described = _run(["apt-cache", "showsrc", "--only-source", name], environ).splitlines()
    versions = {line.split()[1] for line in described if line.startswith("Version: ")}
    for version in _newest_first(versions):
        command = ["apt-get", "-q", "source", "--download-only", f"{name}={version}"]
        done = subprocess.run(
            command, check=False, cwd=sources, env=environ, capture_output=True, text=True
        )
        if done.returncode == 0:
            return
        print(f"WARNING: The archive does not have {name} {version}, which its index names.")
    raise BuildError(f"apt cannot fetch the source of {name}.")


def _newest_first(versions: set[str]) -> list[str]:
    ordered: list[str] = []
    for each in versions:
        place = 0
        while place < len(ordered) and not _is_newer(each, ordered[place]):
            place += 1
        ordered.insert(place, each)
    return ordered


def _is_newer(one: str, other: str) -> bool:
    command = ["dpkg", "--compare-versions", one, "gt", other]
    return subprocess.run(command, check=False).returncode == 0


def _fetch_root(archive_file: Path, archive: str) -> None:
    lines = [
        f"deb [signed-by={_KEYRING}] {uri} {suite} main" for uri, suite in _suites(archive, SUITE)
    ]
    part = archive_file.with_suffix(".part.tar")
    options = ["--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io"]
    command = ["mmdebstrap", *options, f"--include={_PACKAGES}", SUITE]
    _run([*command, str(part), *lines])
    part.rename(archive_file)


def _platform(kernel_name: str) -> list[str]:
    glibcs = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    platforms = (option for each in glibcs for option in ("--platform", f"{each}_{kernel_name}"))
    return ["--implementation", "cp", "--python-version", PYTHON, *platforms]


def _download(directory: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    _run([*command, "--only-binary=:all:", "--dest", str(directory), *options])


def _run(command: list[str], environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environ, cwd=ROOT
    )
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise BuildError(f"`{' '.join(command[:3])} ...` failed:\n{last}")
    return done.stdout
