"""Image layers, written as compressed tar files from Debian packages and files of our own.

No maintainer script runs: `finish` does by hand the little that the images need of them.
"""

import hashlib
import io
import subprocess
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rig.say import RigError

_MERGED = ("bin", "sbin", "lib", "lib64")
_UNREAD = (
    "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/",
    "usr/share/lintian/", "usr/share/bash-completion/", "usr/share/zsh/", "usr/share/fish/",
    "usr/share/perl5/", "usr/lib/systemd/", "etc/init.d/", "usr/share/bug/", "usr/share/git-core/contrib/",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or symbolic link of our own."""

    path: str
    content: bytes = b""
    mode: int = 0o644
    link: str | None = None
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """One package file: all of it, all but some paths, or a single file (`path` or `path>new`)."""

    path: Path
    only: str | None = None
    omit: tuple[str, ...] = ()

    def place_of(self, path: str) -> str | None:
        """Return where this path of the package goes, or None if it is not wanted."""
        if self.only is not None:
            source, _, target = self.only.partition(">")
            return (target or source) if path == _merged(source) else None
        return None if path in self.omit or path.startswith(_UNREAD) else path


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer: the digests of the compressed and of the plain tar, and the size."""

    digest: str
    diff_id: str
    size: int


class _Sink(io.RawIOBase):
    """Compresses what is written, and takes both digests on the way."""

    def __init__(self, target: io.BufferedWriter) -> None:
        self._target = target
        # Level 1: the layers go over loopback, and a machine builds them once.
        self._gzip = zlib.compressobj(1, zlib.DEFLATED, 31)
        self._plain, self._packed, self.size = hashlib.sha256(), hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._plain.update(data)
        self._put(self._gzip.compress(data))
        return len(data)

    def finish(self) -> Layer:
        """Return what has been written."""
        self._put(self._gzip.flush())
        packed, plain = self._packed.hexdigest(), self._plain.hexdigest()
        return Layer(f"sha256:{packed}", f"sha256:{plain}", self.size)

    def _put(self, data: bytes) -> None:
        self._packed.update(data)
        self._target.write(data)
        self.size += len(data)


def write(target: Path, packages: Sequence[Package], entries: Iterable[Entry]) -> Layer:
    """Write one layer; of two things at the same path the first one stays."""
    seen: set[str] = set()
    with target.open("wb") as file:
        sink = _Sink(file)
        with tarfile.open(
            fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 20
        ) as tar:
            for entry in entries:
                seen.add(entry.path)
                tar.addfile(_header(entry), io.BytesIO(entry.content))
            for package in packages:
                _add(tar, package, seen)
        return sink.finish()


def read(package: Path, prefix: str) -> dict[str, bytes]:
    """Return the files of a package below a path, in the order of their names."""
    found = {}
    with _Opened(package) as tar:
        for member in tar:
            source = tar.extractfile(member) if member.isreg() else None
            if source is not None and _merged(member.name).startswith(prefix):
                found[_merged(member.name)] = source.read()
    if not found:
        raise RigError(f"{package.name} holds nothing below {prefix}.")
    return dict(sorted(found.items()))


def _add(tar: tarfile.TarFile, package: Package, seen: set[str]) -> None:
    with _Opened(package.path) as source:
        for member in source:
            path = package.place_of(_merged(member.name))
            if not path or path in seen:
                continue
            if path in _MERGED and not member.issym():
                continue
            seen.add(path)
            member.name = path
            if member.islnk():
                member.linkname = _merged(member.linkname)
            tar.addfile(member, source.extractfile(member) if member.isreg() else None)


def _merged(name: str) -> str:
    """Return the path in a file system whose /bin, /sbin and /lib are those of /usr."""
    path = name.removeprefix("./").rstrip("/")
    first, slash, rest = path.partition("/")
    return f"usr/{first}/{rest}" if first in _MERGED and slash else path


class _Opened:
    """The contents of a package, read as a stream."""

    def __init__(self, package: Path) -> None:
        command = ["dpkg-deb", "--fsys-tarfile", str(package)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._tar = tarfile.open(  # noqa: SIM115 - closed by __exit__
            fileobj=self._process.stdout, mode="r|", bufsize=1 << 20
        )

    def __enter__(self) -> tarfile.TarFile:
        return self._tar

    def __exit__(self, *_: object) -> None:
        self._tar.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


def _header(entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(entry.path)
    header.mode, header.size = entry.mode, len(entry.content)
    if entry.directory:
        header.type = tarfile.DIRTYPE
    elif entry.link is not None:
        header.type, header.linkname = tarfile.SYMTYPE, entry.link
    return header
