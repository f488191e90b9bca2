"""dind-executor's settings file for this rig, and a registration that names it."""

import json
from pathlib import Path

from tests.rig.paths import ADMINISTRATORS_LOG, REGISTRATION, SETTINGS, SOURCES
from tests.rig.state import Rig

# TOML's strings, lists and booleans are JSON's.
_Value = str | bool | list[str]


def write(rig: Rig) -> Path:
    """Write the settings that make dind-executor work on this rig."""
    docker: dict[str, _Value] = {
        "host": rig.engine_host,
        "image": "docker:26.1-cli",
        "helper_image": rig.helper_image,
    }
    dind: dict[str, _Value] = {
        "mode": "always",
        "image": rig.dind_image,
        "privileged": True,
        # dind trusts the rig's registries as the host does, and takes Docker Hub from its mirror.
        "volumes": ["/etc/docker/certs.d:/etc/docker/certs.d:ro"],
        "registry_mirrors": [rig.mirror] if rig.mirror else [],
        "allow_plain_tcp": True,
    }
    if rig.runtime is not None:
        dind["runtime"] = rig.runtime
    log: dict[str, _Value] = {"destination": "file", "path": str(rig.logs / ADMINISTRATORS_LOG)}
    tables = {"docker": docker, "dind": dind, "log": log}
    lines = [
        "# Written by `python -m tests.rig up`.",
        'builds_dir = "/builds"',
        'cache_dir = "/cache"',
    ]
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    SETTINGS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SETTINGS


def write_registration(rig: Rig) -> Path:
    """Write a config.toml whose one runner calls this repository's hooks with those settings."""
    hooks = SOURCES.parent.parent / "hooks"
    lines = [
        "# Written by `python -m tests.rig up`.",
        "[[runners]]",
        'name = "rig"',
        'executor = "custom"',
        'builds_dir = "/builds"',
        'cache_dir = "/cache"',
        "[runners.custom]",
        "graceful_kill_timeout = 120",
    ]
    for stage in ("config", "prepare", "run", "cleanup"):
        lines.append(f"{stage}_exec = {json.dumps(str(hooks / stage))}")
        lines.append(f"{stage}_args = {json.dumps(['--settings', str(rig.settings)])}")
    REGISTRATION.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return REGISTRATION
