"""What an engine of ours leaves on the machine, taken away again.

dockerd keeps its bridge, its firewall rules, a kernel setting and two directories when it ends. On a machine
that had none of them before, `down` removes them; where an engine ran before, they stay.
"""

import json
import shutil
import subprocess
from pathlib import Path

from tests.rig.paths import RUN

_FILE = RUN / "before.json"
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_KEY = Path("/etc/docker/key.json")
_DIRECTORIES = (Path("/run/docker"), Path("/run/containerd"))
_TABLES = ("filter", "nat", "raw")
_POLICIES = {"iptables": "policy", "ip6tables": "policy6"}


def remember() -> None:
    """Write down what there is before our engine starts, once."""
    if _FILE.exists():
        return
    before = {
        "docker0": _bridge(),
        "chains": any("DOCKER" in line for table in _TABLES for line in _rules(table)),
        **{key: _policy(command) for command, key in _POLICIES.items()},
        "forwarding": _FORWARDING.read_text(encoding="utf-8").strip(),
        "key": _KEY.exists(),
        "directories": [str(path) for path in _DIRECTORIES if path.exists()],
    }
    RUN.mkdir(parents=True, exist_ok=True)
    _FILE.write_text(json.dumps(before), encoding="utf-8")


def restore() -> None:
    """Put back what was there before our engine, after it has ended."""
    try:
        before = json.loads(_FILE.read_text(encoding="utf-8"))
    except OSError:
        return
    if not before["chains"]:
        for command, key in _POLICIES.items():
            _remove_rules(command)
            if before.get(key):
                _run(command, *before[key].split())
    if not before["docker0"] and _bridge():
        _run("ip", "link", "delete", "docker0")
    if not before["key"]:
        _KEY.unlink(missing_ok=True)
    for directory in _DIRECTORIES:
        if str(directory) not in before["directories"]:
            shutil.rmtree(directory, ignore_errors=True)
    _FORWARDING.write_text(before["forwarding"], encoding="utf-8")
    _FILE.unlink()


def _remove_rules(command: str) -> None:
    """Remove every rule and chain that names DOCKER, and docker0's own rules."""
    for table in _TABLES:
        rules = _rules(table, command)
        for rule in rules:
            if rule.startswith("-A ") and ("DOCKER" in rule or "docker0" in rule):
                _run(command, "-t", table, "-D", *rule.split()[1:])
        for rule in rules:
            if rule.startswith("-A ") and "MASQUERADE" in rule and "-s 172.17." in rule:
                _run(command, "-t", table, "-D", *rule.split()[1:])
        for rule in rules:
            if rule.startswith("-N DOCKER"):
                _run(command, "-t", table, "-F", rule.split()[1])
        for rule in rules:
            if rule.startswith("-N DOCKER"):
                _run(command, "-t", table, "-X", rule.split()[1])


def _policy(command: str) -> str:
    rules = _rules("filter", command)
    return next((line for line in rules if line.startswith("-P FORWARD")), "")


def _rules(table: str, command: str = "iptables") -> list[str]:
    if shutil.which(command) is None:
        return []
    return _run(command, "-t", table, "-S").splitlines()


def _bridge() -> bool:
    return bool(_run("ip", "link", "show", "docker0"))


def _run(*command: str) -> str:
    """Run a command whose failure means only that there was nothing to do."""
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
