"""Builds what a release has: packages (deb, rpm), the offline archive, SBOMs, checksums.  `.ci/package` calls it.

| module | what it does |
|---|---|
| `fetching` | brings everything that comes from elsewhere into one directory; nothing else uses a network |
| `building` | builds the interpreter, in the oldest root that is supported |
| `tree` | puts together the tree of a version: interpreter, modules, hooks |
| `elf` | looks whether every binary starts on a host with that root's glibc, and nothing else |
| `sbom` | names what is inside |
| `formats` | makes archive, packages and checksums of a tree |
| `reproducing` | builds twice, each time from nothing, and compares the bytes |

The same sources give the same bytes, wherever they are built: nothing knows the directory of the build,
its time, or its host.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Debian's name of each, and the kernel's."""

PYTHON = "3.13"
"""Of Debian's newest stable release: it is maintained longest."""
SUITE = "bullseye"
"""The release of the build's root, Debian 11: the oldest glibc that is supported."""
GLIBC = (2, 31)
SOURCES_SUITE = "trixie"
SOURCES = ("python3.13", "openssl", "zlib", "bzip2", "xz-utils")


class BuildError(Exception):
    """The build cannot go on; the text says why."""
