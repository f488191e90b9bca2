"""Builds what the catalogue names and the hub mirror does not hold yet."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.rig import catalogue, debian, layers
from tests.rig.catalogue import ImageSpec
from tests.rig.debian import Suite
from tests.rig.layers import Entry, Layer, Package
from tests.rig.paths import BUILT, SOURCES, WORK
from tests.rig.recipes import Generation, LayerSpec
from tests.rig.say import say, step
from tests.rig.upload import Registry


def ensure(host: str, ca: Path, *, only_special: bool) -> None:
    """Ensure that the hub mirror holds every image, or every one that Docker Hub has not."""
    archive = debian.archive()
    old, new = _generations(archive)
    specs = catalogue.images(old, new, _helper(), _runner(), _engine())
    if only_special:
        specs = [spec for spec in specs if not spec.names[0].startswith("library/")]
    built = _read_built()
    with Registry(host, ca) as hub:
        missing = [spec for spec in specs if not _is_there(hub, spec, built)]
    if not missing:
        say("Every image is in the cache.")
        return
    chains = [_chain(spec.layer) for spec in missing]
    wanted = {_key(layer): layer for chain in chains for layer in chain}
    absent = {key: layer for key, layer in wanted.items() if key not in built["layers"]}
    with step(f"Building {len(missing)} of {len(specs)} images from Debian packages"):
        if absent:
            built["layers"].update(_build(absent, archive, host, ca))
        for spec in missing:
            _publish(spec, built, host, ca)
    # A machine that is cut off later holds every image that this file names.
    os.sync()
    BUILT.write_text(json.dumps(built, indent=1), encoding="utf-8")


def _generations(archive: debian.Archive) -> tuple[Generation, Generation]:
    old, new = archive.suites
    if archive.origin == "Debian":
        return (
            Generation("20.10.24", old, "docker.io", "old"),
            Generation("26.1.5", new, "docker-cli", "new", ("docker-buildx",)),
        )
    # Ubuntu has one generation at a time; the names of both lead to it.
    more = ("docker-buildx",)
    return (
        Generation("20.10.24", old, "docker.io", "old", more),
        Generation("26.1.5", new, "docker.io", "new", more),
    )


def _runner() -> Path | None:
    """Return this machine's gitlab-runner."""
    found = shutil.which("gitlab-runner")
    return Path(found) if found else None


def _helper() -> Path | None:
    """Return the static binary that this machine has for the helper image."""
    found = shutil.which("gitlab-runner-helper") or shutil.which("gitlab-runner")
    return Path(found) if found else None


def _engine() -> Path | None:
    """Return the directory of the engine that the environment names."""
    named = os.environ.get("DIND_EXECUTOR_RIG_DOCKERD")
    return Path(named).parent if named else None


def _chain(layer: LayerSpec) -> list[LayerSpec]:
    """Return the layer with all below it, the lowest first."""
    below = _chain(layer.parent) if layer.parent is not None else []
    return [*below, layer]


def _key(layer: LayerSpec) -> str:
    """Return what stands for the layer's content: the same key, the same layer."""
    recipe = [(SOURCES / "layers.py").read_text(encoding="utf-8"), debian.LEFT_OUT.pattern]
    parts = repr([layer.suite, layer.packages, layer.picked, layer.omitted, layer.is_base, recipe])
    own = hashlib.sha256(parts.encode())
    for entry in layer.entries:
        own.update(repr((entry.path, entry.mode, entry.link, entry.directory)).encode())
        own.update(hashlib.sha256(entry.content).digest())
    own.update(_key(layer.parent).encode() if layer.parent is not None else b"")
    return own.hexdigest()


def _is_there(hub: Registry, spec: ImageSpec, built: dict[str, dict[str, object]]) -> bool:
    known = built["images"]
    return all(
        known.get(name) == _image_key(spec) and hub.has_image(*name.split(":"))
        for name in spec.names
    )


def _image_key(spec: ImageSpec) -> str:
    config = json.dumps(spec.config, sort_keys=True)
    return hashlib.sha256(f"{_key(spec.layer)}{config}".encode()).hexdigest()


def _build(
    wanted: Mapping[str, LayerSpec], archive: debian.Archive, host: str, ca: Path
) -> dict[str, dict[str, object]]:
    """Write the layers, as many at a time as there are cores, and put them into the hub mirror."""
    root = WORK / "build"
    root.mkdir(parents=True, exist_ok=True)
    names = sorted({layer.suite for layer in wanted.values()})
    suites = {name: Suite(name, archive, root / name) for name in names}
    with ThreadPoolExecutor() as pool:
        # One download at a time for each suite: apt keeps one state.
        by_suite = {name: [la for la in wanted.values() if la.suite == name] for name in names}
        list(pool.map(lambda name: [_sources(suites[name], la) for la in by_suite[name]], names))
        pairs = [(key, suites[layer.suite], layer) for key, layer in wanted.items()]
        done = pool.map(lambda job: _write(job[0], job[1], job[2], root, (host, ca)), pairs)
        found = {key: asdict(layer) for (key, _, _), layer in zip(pairs, done, strict=True)}
    shutil.rmtree(root)
    return found


def _write(
    key: str, suite: Suite, spec: LayerSpec, root: Path, registry: tuple[str, Path]
) -> Layer:
    target = root / f"{key}.tar.gz"
    entries = list(spec.entries)
    if spec.is_base:
        entries += _finish(suite.download(spec.packages))
    layer = layers.write(target, _sources(suite, spec), entries)
    with Registry(*registry) as hub, target.open("rb") as content:
        hub.put_layer(layer, content)
    target.unlink()
    return layer


def _sources(suite: Suite, spec: LayerSpec) -> list[Package]:
    """Return the package files of a layer, less those of the layers below it."""
    if not (spec.packages or spec.picked):
        return []
    chain = _chain(spec)
    below = tuple(name for layer in chain[:-1] for name in layer.packages)
    have = suite.download(below) if below else {}
    everything = suite.download((*below, *spec.packages)) if spec.packages else {}
    own = [
        Package(path, omit=spec.omitted) for name, path in everything.items() if name not in have
    ]
    picked = [Package(suite.download((name,))[name], only=path) for name, path in spec.picked]
    return [*picked, *own]


def _finish(packages: Mapping[str, Path]) -> list[Entry]:
    """Return what the maintainer scripts of the base packages would have made."""
    certificates = layers.read(packages["ca-certificates"], "usr/share/ca-certificates/mozilla/")
    passwd = layers.read(packages["base-passwd"], "usr/share/base-passwd/")
    nsswitch = layers.read(packages["libc-bin"], "usr/share/libc-bin/nsswitch.conf")
    links = [
        Entry(name, link=f"usr/{name}", mode=0o777) for name in ("bin", "sbin", "lib", "lib64")
    ]
    return [
        *links,
        Entry("usr/bin/awk", link="mawk", mode=0o777),
        Entry("var/run", link="/run", mode=0o777),
        Entry("run/lock", mode=0o1777, directory=True),
        Entry("etc/passwd", passwd["usr/share/base-passwd/passwd.master"].replace(b":*:", b":x:")),
        Entry("etc/group", passwd["usr/share/base-passwd/group.master"].replace(b":*:", b":x:")),
        Entry("etc/nsswitch.conf", b"".join(nsswitch.values())),
        Entry("etc/ssl/certs/ca-certificates.crt", b"".join(certificates.values())),
    ]


def _publish(spec: ImageSpec, built: dict[str, dict[str, object]], host: str, ca: Path) -> None:
    chain = [Layer(**built["layers"][_key(layer)]) for layer in _chain(spec.layer)]  # type: ignore[arg-type]
    with Registry(host, ca) as hub:
        for name in spec.names:
            repository, tag = name.split(":")
            hub.put_image(repository, tag, chain, spec.config)
            built["images"][name] = _image_key(spec)


def _read_built() -> dict[str, dict[str, object]]:
    try:
        built: dict[str, dict[str, object]] = json.loads(BUILT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"layers": {}, "images": {}}
    return built
