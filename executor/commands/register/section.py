"""What config.toml gets: a runner's section, or a template of one; pure."""

from typing import NamedTuple

from executor.notation.toml import value_text

HOOKS = "/opt/dind-executor/hooks"
SETTINGS = "/etc/dind-executor/settings.toml"
SHUTDOWN_SECONDS = 120
"""How long cleanup may take after SIGTERM; gitlab-runner's 30 seconds are short for large images."""

UNKNOWN_TOKEN = "glrt-" + "0" * 20
"""Stands in what is tried until GitLab has created the runner."""

_TIMEOUTS = {"config": 60, "prepare": 1800, "cleanup": 900}
_TEMPLATE = f"""\
# A runner of dind-executor, for `gitlab-runner register --non-interactive --template-config FILE
# --url URL --executor custom --name NAME`, with the token in the variable CI_SERVER_TOKEN.
# It writes config.toml again, without its comments. A template cannot have the keys above [[runners]]:
# `concurrent` is the number of jobs at the same time, and `shutdown_timeout = {SHUTDOWN_SECONDS}` is long enough
# for cleanup.
"""


class Paths(NamedTuple):
    """Where dind-executor lies."""

    hooks: str = HOOKS
    settings: str = SETTINGS


class Registration(NamedTuple):
    """What a runner is registered with."""

    name: str
    url: str
    token: str

    def __repr__(self) -> str:
        """Name the runner without its token."""
        return f"Registration({self.name!r}, {self.url!r})"


def section_text(registration: Registration, paths: Paths) -> str:
    """Return a runner's section."""
    keys = {"name": registration.name, "url": registration.url, "token": registration.token}
    lines = [f"  {key} = {value_text(value)}" for key, value in keys.items()]
    return "\n".join(["[[runners]]", *lines, *_body(paths)]) + "\n"


def template_text(paths: Paths, url: str = "") -> str:
    """Return what `gitlab-runner register --template-config` takes."""
    known = [f"  url = {value_text(url)}"] if url else []
    return _TEMPLATE + "\n".join(["[[runners]]", *known, *_body(paths)]) + "\n"


def _body(paths: Paths) -> list[str]:
    lines = [
        '  executor = "custom"',
        '  shell = "bash"',
        '  builds_dir = "/builds"',
        '  cache_dir = "/cache"',
        "  safe_directory_checkout = true",
        "  [runners.custom_build_dir]",
        "    enabled = true",
        "  [runners.custom]",
    ]
    args = value_text(["--settings", paths.settings])
    for stage in ("config", "prepare", "run", "cleanup"):
        lines.append(f"    {stage}_exec = {value_text(f'{paths.hooks}/{stage}')}")
        lines.append(f"    {stage}_args = {args}")
        if stage in _TIMEOUTS:
            lines.append(f"    {stage}_exec_timeout = {_TIMEOUTS[stage]}")
    return [*lines, "    graceful_kill_timeout = 120", "    force_kill_timeout = 10"]
