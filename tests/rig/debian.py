"""Debian packages, resolved and downloaded for one suite with apt, next to the machine's own apt."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig import packages
from tests.rig.say import RigError

# Needed to install packages or to read manuals, not to run what we run; and half an image's size.
LEFT_OUT = re.compile(
    "perl|perl-base|perl-modules-.*|libperl.*|liberror-perl|libgdbm.*|libdb5.*|git-man|adduser"
    "|debconf|libdebconfclient0|init-system-helpers|passwd|login.defs|libsemanage.*|libpam.*"
    "|libaudit.*|libcap-ng0|sysvinit-utils|lsb-base|sensible-utils|usrmerge|usr-is-merged"
)
_CONFIGURATION = """\
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::status "{root}/status";
Dir::State::lists "{root}/lists";
Dir::Cache "{root}";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Debug::NoLocking "true";
"""
_KEYRINGS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """The package archive that this machine's own apt uses."""

    origin: str
    uri: str
    suites: tuple[str, str]
    components: str


@dataclass(slots=True)
class Suite:
    """One release of the archive, with an apt state of its own under `root`."""

    name: str
    archive: Archive
    root: Path
    closures: dict[tuple[str, ...], dict[str, Path]] = field(default_factory=dict)

    def _open(self) -> None:
        """Read the suite's package lists, once."""
        if (self.root / "apt.conf").exists():
            return
        for directory in ("lists/partial", "archives/partial"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        self._write("status", "")
        keyring = _KEYRINGS[self.archive.origin]
        line = f"deb [signed-by={keyring}] {self.archive.uri} {self.name} {self.archive.components}"
        self._write("sources.list", line + "\n")
        self._write("apt.conf", _CONFIGURATION.format(root=self.root))
        self._apt("update", "-o", "APT::Update::Error-Mode=any")

    def download(self, names: Sequence[str]) -> dict[str, Path]:
        """Return these packages and all they depend on: {package: its file}."""
        wanted = tuple(sorted(names))
        if wanted not in self.closures:
            self._open()
            self._apt("install", "--yes", "--download-only", *wanted)
            self.closures[wanted] = {name: self._file(name) for name in self._simulate(wanted)}
        return self.closures[wanted]

    def _simulate(self, names: Sequence[str]) -> list[str]:
        lines = self._apt("install", "--simulate", *names).splitlines()
        installed = [line.split()[1] for line in lines if line.startswith("Inst ")]
        return [name for name in installed if not LEFT_OUT.fullmatch(name)]

    def _file(self, name: str) -> Path:
        found = sorted((self.root / "archives").glob(f"{name}_*.deb"))
        if len(found) != 1:
            message = f"apt has downloaded {len(found)} files for the package {name}, not one."
            raise RigError(message)
        return found[0]

    def _write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def _apt(self, *arguments: str) -> str:
        env = {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C.UTF-8"}
        command = ["apt-get", "-q", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-3:]
            message = "\n".join([f"apt cannot get packages of {self.name}:", *last])
            raise RigError(message)
        return done.stdout


def archive() -> Archive:
    """Return the archive of this machine; Debian has both generations, Ubuntu one."""
    found = _main_target()
    if found is None:
        # A fresh machine has not read its lists yet.
        packages.update()
        found = _main_target()
    if found is None:
        message = (
            "apt knows no Debian or Ubuntu archive on this machine: see /etc/apt/sources.list."
        )
        raise RigError(message)
    origin, uri, codename = found
    if origin == "Debian":
        return Archive(origin, uri, ("bookworm", "trixie"), "main")
    return Archive(origin, uri, (codename, codename), "main universe")


def _main_target() -> tuple[str, str, str] | None:
    form = "$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        origin, uri, codename, component = line.split("|")
        if origin in _KEYRINGS and component == "main" and "-" not in codename:
            return origin, uri, codename
    return None
