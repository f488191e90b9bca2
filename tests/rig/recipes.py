"""What is in each layer of the rig's images: data only."""

from dataclasses import dataclass
from pathlib import Path

from tests.rig.layers import Entry
from tests.rig.paths import IMAGE_FILES

_BASE_PACKAGES = (
    "base-files", "base-passwd", "bash", "ca-certificates", "coreutils", "dash", "diffutils",
    "findutils", "grep", "gzip", "hostname", "libc-bin", "mawk", "mount", "sed", "tar",
    "util-linux",
)  # fmt: skip
_DAEMON_PACKAGES = (
    "docker.io",
    "containerd",
    "runc",
    "iptables",
    "tini",
    "openssl",
    "pigz",
    "kmod",
)


_ENGINE_BINARIES = (
    "containerd", "containerd-shim-runc-v2", "ctr", "docker", "docker-proxy", "dockerd", "runc",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the engine's packages, and how old its images' entrypoints act."""

    version: str
    suite: str
    command_package: str
    rule: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer: packages with all they depend on, single files out of others, files of ours."""

    suite: str
    packages: tuple[str, ...] = ()
    picked: tuple[tuple[str, str], ...] = ()
    omitted: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    parent: "LayerSpec | None" = None
    # The lowest layer of a Debian image also gets what maintainer scripts would have made.
    is_base: bool = False


def base(generation: Generation) -> LayerSpec:
    return LayerSpec(generation.suite, _BASE_PACKAGES, is_base=True)


def command(generation: Generation, base: LayerSpec) -> LayerSpec:
    """Return the docker command with git, as in the official images."""
    entries = (
        _script("usr/local/bin/docker-entrypoint.sh"),
        Entry("certs", mode=0o1777, directory=True),
        Entry("certs/client", mode=0o1777, directory=True),
    )
    packages = ("git", "openssh-client", *generation.more)
    picked = ((generation.command_package, "usr/bin/docker"),)
    return LayerSpec(generation.suite, packages, picked, entries=entries, parent=base)


def daemon(generation: Generation, command: LayerSpec) -> LayerSpec:
    """Return the daemon, with both kinds of iptables for the entrypoint to choose from."""
    links = []
    for name in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            links.append(Entry(f"usr/sbin/{name}{suffix}", link="xtables-nft-multi", mode=0o777))
            place = f"usr/local/sbin/.iptables-legacy/{name}{suffix}"
            links.append(Entry(place, link="/usr/sbin/xtables-legacy-multi", mode=0o777))
    entrypoint = _script("usr/local/bin/dockerd-entrypoint.sh", RULE=generation.rule)
    omitted = ("usr/bin/docker",)
    entries = (entrypoint, *links)
    return LayerSpec(generation.suite, _DAEMON_PACKAGES, (), omitted, entries, parent=command)


def binaries(directory: Path, dind: LayerSpec) -> LayerSpec:
    """Return an engine that this machine has as static binaries, over a dind of another one."""
    entries = tuple(
        Entry(f"usr/local/bin/{name}", (directory / name).read_bytes(), 0o755)
        for name in _ENGINE_BINARIES
        if (directory / name).is_file()
    )
    return LayerSpec(dind.suite, entries=entries, parent=dind)


def helper(generation: Generation, base: LayerSpec, runner: Path | None) -> LayerSpec:
    binary = "usr/bin/gitlab-runner-helper"
    if runner is None:
        program = _script(binary, "gitlab-runner.sh")
    else:
        program = Entry(binary, runner.read_bytes(), 0o755)
    entries = (
        program,
        Entry("usr/bin/gitlab-runner", link="gitlab-runner-helper", mode=0o777),
        _script("usr/bin/gitlab-runner-build", "gitlab-runner-build.sh"),
    )
    packages = ("git", "git-lfs", "curl", "zip", "unzip")
    return LayerSpec(generation.suite, packages, entries=entries, parent=base)


def runner(generation: Generation, base: LayerSpec, program: Path) -> LayerSpec:
    """Return gitlab-runner as GitLab's images have it, with a Python beside it."""
    entries = (
        Entry("usr/bin/gitlab-runner", program.read_bytes(), 0o755),
        _script("entrypoint", "runner-entrypoint.sh"),
        Entry("home/gitlab-runner", mode=0o755, directory=True),
        Entry("usr/local/bin", mode=0o755, directory=True),
    )
    packages = ("dumb-init", "git", "python3", "python3-venv")
    return LayerSpec(generation.suite, packages, entries=entries, parent=base)


def broken(dind: LayerSpec) -> LayerSpec:
    entry = _script("usr/local/bin/dockerd-entrypoint.sh", "broken-dockerd.sh")
    return LayerSpec(dind.suite, entries=(entry,), parent=dind)


def _script(path: str, source: str | None = None, **words: str) -> Entry:
    """Return an executable of ours, with its placeholders filled in."""
    text = (IMAGE_FILES / (source or Path(path).name)).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return Entry(path, text.encode(), 0o755)
