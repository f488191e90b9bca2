"""The platform of an image, such as `linux/arm64`: pure."""

from executor.errors import UnsupportedJobOption

_SYSTEMS = frozenset(("linux", "windows"))
"""The only ones that containers are made for."""

# Source: the names that containerd's platform parser knows, which the engine uses.
_KNOWN_SYSTEMS = frozenset(
    (
        *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js"),
        *("linux", "macos", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos"),
    )
)
_ARCHITECTURES = frozenset(
    (
        *("386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips"),
        *("mips64", "mips64le", "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le"),
        *("riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm"),
        *("aarch64", "armel", "armhf", "i386", "x86-64", "x86_64"),
    )
)
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_MOST_PARTS = 3
_SPELLINGS = {
    "aarch64": "arm64",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "i386": "386",
    "armhf": "arm",
    "armel": "arm",
}


def checked_platform(text: str) -> tuple[str, str]:
    """Return a platform as the engine takes it, and a warning, "" where none is due.

    An architecture alone is Linux's, and any system that containers cannot have becomes Linux.
    Raises UnsupportedJobOption for what is no platform.
    """
    if not text:
        return "", ""
    parts = text.split("/")
    good = len(parts) <= _MOST_PARTS and all(parts)
    good = good and all(_CHARACTERS.issuperset(part.lower()) for part in parts)
    first = parts[0].lower()
    if good and len(parts) == 1 and first in _ARCHITECTURES:
        return text, ""
    if not good or (len(parts) == 1 and first not in _KNOWN_SYSTEMS):
        raise UnsupportedJobOption(
            f'"{text}" is not a platform: write os/architecture, for example linux/arm64.'
        )
    if first in _SYSTEMS:
        return text, ""
    warning = (
        f'WARNING: Platform OS "{parts[0]}" in "{text}" is not a valid container OS;'
        ' using "linux" instead'
    )
    return "/".join(("linux", *parts[1:])), warning


def fits(platform: str, system: str, architecture: str) -> bool:
    """Tell whether an image of this system and architecture is what a platform asks for.

    Variants (`linux/arm/v7`) are left to the engine.
    """
    parts = [_SPELLINGS.get(part, part) for part in platform.lower().split("/")]
    if len(parts) == 1 and parts[0] not in _KNOWN_SYSTEMS:
        parts = ["linux", *parts]
    if parts[0] and parts[0] != system:
        return False
    return len(parts) == 1 or parts[1] == architecture
