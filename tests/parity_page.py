"""docs/parity.md as data: its tables, row by row, and the tests that show each row."""

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.gitlab.differences import DIFFERENCES, OUTCOMES

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs" / "parity.md"
TESTS = Path(__file__).with_name("parity.toml")

# Chapters that have a row for each of a list of names, by their tables in parity.toml.
CHAPTERS = {
    "docker": "Keys of `[runners.docker]`",
    "runner": "Keys of `[[runners]]`",
    "behaviour": "Behaviour",
}
VERDICTS = ("supported", "better", "not applicable")
SCENARIOS = range(1, 153)

# Every key of the table `[runners.docker]` in gitlab-runner's documentation and sources (19.4).
DOCKER_KEYS = [
    "host", "tls_cert_path", "tls_verify", "hostname", "image", "runtime", "memory",
    "memory_swap", "memory_reservation", "cgroup_parent", "cpuset_cpus", "cpuset_mems", "cpus",
    "cpu_shares", "dns", "dns_search", "privileged", "services_privileged",
    "disable_entrypoint_overwrite", "user", "allowed_users", "group_add", "userns_mode",
    "cap_add", "cap_drop", "oom_kill_disable", "oom_score_adjust", "security_opt",
    "services_security_opt", "devices", "device_cgroup_rules", "gpus", "services_devices",
    "disable_cache", "volumes", "volume_keep", "volume_driver", "volume_driver_ops", "cache_dir",
    "extra_hosts", "volumes_from", "network_mode", "pid_mode", "ipcmode", "mac_address", "links",
    "services", "services_limit", "service_memory", "service_memory_swap",
    "service_memory_reservation", "service_cgroup_parent", "service_slot_cgroup_template",
    "service_cpuset_cpus", "service_cpus", "service_cpu_shares", "service_gpus",
    "wait_for_services_timeout", "allowed_images", "allowed_privileged_images",
    "allowed_privileged_services", "allowed_pull_policies", "allowed_services", "pull_policy",
    "isolation", "shm_size", "tmpfs", "services_tmpfs", "sysctls", "helper_image",
    "helper_image_flavor", "container_labels", "enable_ipv6", "ulimit", "network_mtu",
    "log_options",
]  # fmt: skip

# Those of `[[runners]]` that shape the jobs of the Docker executor.
RUNNER_KEYS = [
    "builds_dir", "cache_dir", "shell", "environment", "pre_get_sources_script",
    "post_get_sources_script", "pre_build_script", "post_build_script", "clone_url",
    "safe_directory_checkout", "clean_git_config", "custom_build_dir.enabled", "prepare_timeout",
    "get_sources_timeout", "output_limit", "debug_trace_disabled", "proxy_exec",
    "use_slot_cgroups", "slot_cgroup_template", "feature_flags", "cache",
    "artifact.upload_timeout", "step_runner_image",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row that says how something is here: `name` is a key, or a scenario's number."""

    name: str
    verdict: str
    how: str


def text() -> str:
    """Return the page."""
    return PAGE.read_text(encoding="utf-8")


def rows(chapter: str) -> list[Row]:
    """Return the rows of one chapter's tables."""
    body = text().partition(f"\n## {CHAPTERS[chapter]}\n")[2].partition("\n## ")[0]
    found = []
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or len(cells) < 3 or not re.match(r"`|\d", cells[0]):
            continue
        name, *_, verdict, how = cells
        found.append(Row(name.strip("`"), verdict, how))
    return found


def shown() -> dict[str, dict[str, list[str]]]:
    """Return by chapter and name of a row the ids of the tests that show it."""
    return tomllib.loads(TESTS.read_text(encoding="utf-8"))


@cache
def functions(path: str) -> frozenset[str]:
    """Return the names of the functions in a file of the repository; none where there is no file."""
    file = _ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def difference_table() -> str:
    """Return the admitted differences as the page has them."""
    rows = ["| Docker executor | dind-executor | why |", "| --- | --- | --- |"]
    rows += [f"| {_code(each.docker)} | {_code(each.ours)} | {each.why} |" for each in DIFFERENCES]
    return "\n".join(rows) + "\n"


def outcome_table() -> str:
    """Return the ends of jobs that GitLab is told differently as the page has them."""
    rows = ["| job | Docker executor | dind-executor | why |", "| --- | --- | --- | --- |"]
    rows += [f"| {each.what} | `{each.docker}` | `{each.ours}` | {each.why} |" for each in OUTCOMES]
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else "nothing"
