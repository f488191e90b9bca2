"""`.ci/package`: builds everything that a release has."""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from deploy.packages import (
    ARCHITECTURES,
    ROOT,
    BuildError,
    elf,
    fetching,
    formats,
    reproducing,
    sbom,
    tree,
)
from deploy.packages.building import build_interpreter
from executor import __version__


def main() -> int:
    """Build; return an exit code."""
    given = _parser().parse_args()
    work: Path = given.work.absolute()
    sources = (given.sources or work / "sources").absolute()
    try:
        if given.update:
            required = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
            locked = fetching.lock(required["project"]["dependencies"], sources)
            fetching.REQUIREMENTS.write_text(locked, encoding="utf-8")
            return 0
        if not given.offline:
            print(f"Fetching what is missing in {sources} ...", flush=True)
            fetching.fetch(sources)
        if given.fetch:
            return 0
        architectures = given.architecture or list(ARCHITECTURES)
        if given.check_reproducible:
            return _check_reproducible(architectures, work, sources)
        _build(architectures, work, sources, given.output)
    except BuildError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=".ci/package",
        description="Build deb, rpm, the offline archive, SBOMs and checksums. Run this as root, on"
        " Debian for amd64.",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="(default: dist)")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build/packages", help="(default: build/packages)"
    )
    parser.add_argument("--sources", type=Path, help="what is fetched (default: sources in --work)")
    parser.add_argument("--architecture", action="append", choices=list(ARCHITECTURES))
    parser.add_argument(
        "--check-reproducible",
        action="store_true",
        help="build what is committed twice, each time from nothing and in another directory, and"
        " compare the bytes; --output gets nothing",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--fetch", action="store_true", help="only fetch")
    group.add_argument("--offline", action="store_true", help="fetch nothing")
    group.add_argument(
        "--update", action="store_true", help="only write requirements.txt with the newest wheels"
    )
    return parser


def _check_reproducible(architectures: list[str], work: Path, sources: Path) -> int:
    """Build twice and say what is different; return an exit code."""
    differing = reproducing.check(architectures, work / "twice", sources)
    if differing:
        print("\n".join([f"ERROR: Two builds differ, see {work / 'twice'}:", *differing]))
        return 1
    print("Two builds are the same bytes.", flush=True)
    return 0


def _build(architectures: list[str], work: Path, sources: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    epoch = _epoch()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    tools = _tools(work, sources)
    for architecture in architectures:
        built = build_interpreter(sources, work, architecture)
        print(f"Packing for {architecture} ...", flush=True)
        place = work / f"tree-{architecture}"
        tree.make_tree(place, built, sources, architecture, tools)
        described = sbom.bill(__version__, architecture, sources, built, epoch)
        name = f"dind-executor-{__version__}-{architecture}.cdx.json"
        for path in (output / name, place / "sbom.cdx.json"):
            path.write_text(described, encoding="utf-8")
            path.chmod(0o644)
        tree.seal(place, __version__, architecture)
        if found := elf.faults(place):
            raise BuildError("\n".join(["Some binaries do not start everywhere:", *found]))
        made = [formats.archive(place, __version__, architecture, epoch, output)]
        for form in ("deb", "rpm"):
            nfpm = tools / "bin/nfpm"
            made.append(
                formats.package(form, place, __version__, architecture, epoch, output, nfpm)
            )
        print("\n".join(str(each) for each in made), flush=True)
    print(formats.checksums(output), flush=True)


def _epoch() -> int:
    """Return the time that everything gets: that of the last commit, unless the caller has one."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _tools(work: Path, sources: Path) -> Path:
    """Have the tools in a virtual environment of their own."""
    place = work / "tools"
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    wheels = sorted((sources / "tools").glob("*.whl"))
    command = [str(place / "bin/python"), "-m", "pip", "install", *options]
    subprocess.run([*command, *map(str, wheels)], check=True)
    return place


if __name__ == "__main__":
    sys.exit(main())
