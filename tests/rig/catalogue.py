"""Which images there are, under which names, and what they say about themselves: data only."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig import recipes
from tests.rig.layers import Entry
from tests.rig.recipes import Generation, LayerSpec

# Where the dependency proxy serves Docker Hub's images to this group.
PROXY_PREFIX = "group/dependency_proxy/containers"
HELPER = "rig/helper:1"
RUNNER = "rig/gitlab-runner:1"

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_APPLETS = (
    "[ ar ash awk basename cat chmod chown cmp cp cut date dd df diff dirname du echo env "
    "expr false find free grep gunzip gzip head hostname httpd id ifconfig install ip kill "
    "killall less ln ls md5sum mkdir mkfifo mktemp more mount mv nc netstat nslookup od paste "
    "ping pgrep printf ps pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat "
    "stty sync tail tar tee telnet test time timeout top touch tr true tty umount uname uniq "
    "unzip uptime vi wc wget which whoami xargs yes"
)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """One image: all its names (`repository:tag`), its top layer, what it says about itself."""

    names: tuple[str, ...]
    layer: LayerSpec
    config: dict[str, object] = field(default_factory=dict)


def images(
    old: Generation,
    new: Generation,
    helper: Path | None,
    runner: Path | None,
    engine: Path | None,
) -> list[ImageSpec]:
    """Return every image; the helper image carries the `helper` binary, or the stand-in.

    There is an image of gitlab-runner where there is a `runner`.
    An `engine` directory of static binaries gives a dind image of its own, `docker:extra-dind`.
    """
    bases = {generation: recipes.base(generation) for generation in (old, new)}
    commands = {generation: recipes.command(generation, bases[generation]) for generation in bases}
    old_names = ("library/docker:20.10.16", f"{PROXY_PREFIX}/docker:20.10.16")
    dind_names = ("library/docker:20.10.16-dind", f"{PROXY_PREFIX}/docker:20.10.16-dind")
    older_names = ("library/docker:18.09.7-dind", f"{PROXY_PREFIX}/docker:18.09.7-dind")
    # From 23.0 on the plain tag is the dind image too; only `-cli` is without a daemon.
    newest = ("latest", "dind", "26", "26-dind", "26.1", "26.1-dind")
    new_names = tuple(f"library/docker:{tag}" for tag in newest)
    new_dind = recipes.daemon(new, commands[new])
    config = _dind_config(new)
    return [
        ImageSpec(old_names, commands[old], _command_config(old)),
        ImageSpec(dind_names, recipes.daemon(old, commands[old]), _dind_config(old)),
        ImageSpec(older_names, recipes.daemon(old, commands[old]), _dind_config(old, tls=False)),
        ImageSpec(("before-tls/docker:18.06-dind",), recipes.daemon(old, commands[old]), _PLAIN),
        ImageSpec(new_names, new_dind, config),
        ImageSpec(
            ("library/docker:26.1-cli", "library/docker:cli"), commands[new], _command_config(new)
        ),
        ImageSpec(("library/debian:bookworm",), bases[old], {"Env": [_PATH], "Cmd": ["bash"]}),
        ImageSpec(("library/debian:trixie",), bases[new], {"Env": [_PATH], "Cmd": ["bash"]}),
        ImageSpec(
            (HELPER,), recipes.helper(new, bases[new], helper), {"Env": [_PATH], "Cmd": ["bash"]}
        ),
        ImageSpec(("tools/docker-cli:1",), commands[new], {"Env": [_PATH], "Cmd": ["bash"]}),
        ImageSpec(("broken/docker:dind",), recipes.broken(new_dind), config),
        *([] if engine is None else [_extra(engine, new_dind, config)]),
        *([] if runner is None else [_runner(new, bases[new], runner)]),
        *_small(old.suite),
        _other_user(new, bases[new]),
    ]


_PLAIN: dict[str, object] = {
    "Env": [_PATH, "DOCKER_VERSION=18.06.3"],
    "Entrypoint": ["dockerd-entrypoint.sh"],
    "Cmd": [],
    "Volumes": {"/var/lib/docker": {}},
    "ExposedPorts": {"2375/tcp": {}},
}
"""How the images were before there was TLS."""


def _command_config(generation: Generation) -> dict[str, object]:
    return {
        "Env": [_PATH, f"DOCKER_VERSION={generation.version}", "DOCKER_TLS_CERTDIR=/certs"],
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["sh"],
    }


def _dind_config(generation: Generation, *, tls: bool = True) -> dict[str, object]:
    environment = [_PATH, f"DOCKER_VERSION={generation.version}"]
    # 18.09 had the code for certificates, and left it off.
    if tls:
        environment.append("DOCKER_TLS_CERTDIR=/certs")
    return {
        "Env": environment,
        "Entrypoint": ["dockerd-entrypoint.sh"],
        "Cmd": [],
        "Volumes": {"/var/lib/docker": {}},
        "ExposedPorts": {"2375/tcp": {}, "2376/tcp": {}},
    }


def _extra(engine: Path, dind: LayerSpec, config: dict[str, object]) -> ImageSpec:
    """Return a dind of other binaries, which says its own version."""
    said = subprocess.run(
        [engine / "dockerd", "--version"], check=True, capture_output=True, text=True
    )
    version = said.stdout.split()[2].rstrip(",")
    other = {**config, "Env": [_PATH, f"DOCKER_VERSION={version}", "DOCKER_TLS_CERTDIR=/certs"]}
    return ImageSpec(("library/docker:extra-dind",), recipes.binaries(engine, dind), other)


def _runner(generation: Generation, base: LayerSpec, program: Path) -> ImageSpec:
    """Return gitlab-runner in an image that says of itself what GitLab's do."""
    config: dict[str, object] = {
        "Env": [_PATH],
        "Entrypoint": ["/usr/bin/dumb-init", "/entrypoint"],
        "Cmd": ["run", "--working-directory=/home/gitlab-runner"],
        "StopSignal": "SIGQUIT",
        "Volumes": {"/etc/gitlab-runner": {}, "/home/gitlab-runner": {}},
    }
    return ImageSpec((RUNNER,), recipes.runner(generation, base, program), config)


def _small(suite: str) -> Sequence[ImageSpec]:
    """Return the images that are one static busybox: as a system, and as a lone program."""
    links = [Entry(f"bin/{name}", link="/bin/busybox", mode=0o777) for name in _APPLETS.split()]
    passwd = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    entries = (
        Entry("bin", mode=0o755, directory=True),
        *links,
        Entry("etc/passwd", passwd),
        Entry("etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
        Entry("root", mode=0o700, directory=True),
        Entry("tmp", mode=0o1777, directory=True),
    )
    system = LayerSpec(suite, (), (("busybox-static", "bin/busybox"),), entries=entries)
    web = Entry("www/index.html", b"a service that is not dind\n")
    served = LayerSpec(suite, entries=(web,), parent=system)
    # busybox acts as the applet whose name it bears.
    lone = LayerSpec(suite, (), (("busybox-static", "bin/busybox>sleep"),))
    command = ["httpd", "-f", "-p", "80", "-h", "/www"]
    shell: dict[str, object] = {"Env": [_PATH], "Cmd": ["sh"]}
    return (
        ImageSpec(("library/alpine:latest",), system, shell),
        ImageSpec(("library/busybox:latest",), system, shell),
        ImageSpec(
            ("tools/web:1",),
            served,
            {"Env": [_PATH], "Cmd": command, "ExposedPorts": {"80/tcp": {}}},
        ),
        ImageSpec(("tools/no-shell:1",), lone, {"Entrypoint": ["/sleep"], "Cmd": ["3600"]}),
    )


def _other_user(generation: Generation, base: LayerSpec) -> ImageSpec:
    home = Entry("home/ci", mode=0o777, directory=True)
    layer = LayerSpec(generation.suite, entries=(home,), parent=base)
    config: dict[str, object] = {
        "Env": [_PATH, "HOME=/home/ci"],
        "Cmd": ["bash"],
        "User": "1000:1000",
    }
    return ImageSpec(("tools/other-user:1",), layer, config)
