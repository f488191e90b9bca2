"""What was seen of a host, as the checks read it: nothing here asks anybody, and small files are read.

Every path goes by `Files`, so that another root (`--root`) is looked at as this one is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from executor.commands.doctor.files import Files, User
from executor.commands.doctor.findings import CannotTell
from executor.engine.description import Description
from executor.settings.file import Settings

Table = Mapping[str, object]


class Process(NamedTuple):
    """A gitlab-runner that runs."""

    pid: int
    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    """Empty where it may not be read."""
    in_container: bool
    """Whether it is in another PID namespace than /proc."""


class Service(NamedTuple):
    """The systemd unit of gitlab-runner."""

    found: bool
    properties: Mapping[str, str]
    """In the words of `systemctl show`."""
    source: str = ""
    """Who has said so."""

    def arguments(self) -> tuple[str, ...]:
        """Return the words of the command that it starts."""
        words = self.properties.get("ExecStart", "").replace(";", " ").split()
        return tuple(each.strip('"') for each in words)


@dataclass(frozen=True)
class Runner:
    """A `[[runners]]` of config.toml whose executor is `custom`."""

    name: str
    table: Table
    """Its keys in lower case, as gitlab-runner reads them."""

    @property
    def custom(self) -> Table:
        """Return `[runners.custom]`."""
        found = self.table.get("custom")
        return found if isinstance(found, dict) else {}

    def settings_files(self) -> tuple[str, ...]:
        """Return the settings files that its stages name, each once."""
        found: dict[str, None] = {}
        for stage in STAGES:
            arguments = self.custom.get(f"{stage}_args")
            words = [str(each) for each in arguments] if isinstance(arguments, list) else []
            for word, following in pairwise([*words, ""]):
                if word == "--settings" and following:
                    found[following] = None
                elif word.startswith("--settings="):
                    found[word.partition("=")[2]] = None
        return tuple(found)


STAGES = ("config", "prepare", "run", "cleanup")


@dataclass(frozen=True)
class Config:
    """gitlab-runner's config.toml."""

    path: str
    text: str = ""
    document: Table = field(default_factory=dict)
    """As it is written."""
    problem: str = ""
    """Why it cannot be read, "" if it can."""
    hidden: bool = False
    """Whether this user may not read it."""
    runners: tuple[Runner, ...] = ()
    """Those to look at."""

    @property
    def concurrent(self) -> int:
        """Return how many jobs run at once; gitlab-runner's default is 1."""
        found = self.lowered().get("concurrent")
        return found if isinstance(found, int) and found > 0 else 1

    def lowered(self) -> Table:
        """Return the document with the keys of its top level in lower case."""
        return {name.lower(): value for name, value in self.document.items()}


@dataclass(frozen=True)
class Asked:
    """What others are asked with `--online`, as functions: nothing is sent before they are called."""

    get: Callable[[str, str], "Answer"]
    """GET of an address, with authorities (PEM) to trust.  Raises OSError or ValueError, with words."""


class Answer(NamedTuple):
    """What a web server said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True)
class Facts:
    """What was seen of a host."""

    files: Files
    address: str
    """Of the engine."""
    engine: Description
    user: User
    config: Config
    settings: Settings
    now: float
    """Seconds since 1970, when the engine had answered."""
    settings_path: str = ""
    settings_problem: str = ""
    settings_hidden: bool = False
    """Whether this user may not read them; then those of the defaults are looked at."""
    service: Service | None = None
    """None where nobody can tell."""
    process: Process | None = None
    version: tuple[int, ...] = ()
    """Of gitlab-runner; empty if unknown."""
    container: str = ""
    """The container that this process seems to be in."""
    policy_routes: tuple[str, ...] = ()
    rules: str | None = None
    """What iptables and nftables say of their rules; None where that may not be read."""
    asked: Asked | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    """Of this process."""

    @property
    def local(self) -> bool:
        """Tell whether the engine's socket is on this host."""
        return self.address.startswith("unix://")

    @property
    def concurrent(self) -> int:
        """Return how many jobs run at once."""
        return self.config.concurrent

    @property
    def elsewhere(self) -> str:
        """Return why the engine's host is not the one whose files are seen, "" if it is."""
        if not self.local:
            return f"the engine at {self.address} is on another host: run doctor there, too"
        name = str(self.engine.info.get("Name") or "")
        own = {
            self.files.text("/proc/sys/kernel/hostname").strip(),
            self.files.text("/etc/hostname").strip(),
        }
        if name and name not in own:
            return (
                f"this is a container, or another machine than that of the engine ({name}): run"
                " doctor on the engine's host, too, or mount its root directory and name it by --root"
            )
        return ""

    def sysctl(self, name: str) -> int:
        """Return a number of the kernel's.  Raises CannotTell."""
        found = self.files.number(f"/proc/sys/{name.replace('.', '/')}")
        if found is None:
            raise CannotTell(f"{name} cannot be read")
        return found
