"""The scripts that restore and save caches, by the gitlab-runner of the helper container.

Pure. As in gitlab-runner, a cache that is not there or cannot be saved fails nothing. But a
helper without a gitlab-runner does, unlike there: such a registration never caches anything.
"""

import posixpath
import shlex
from urllib.parse import quote, urlencode

from executor.local.pipeline.model import Cache
from executor.local.runner.colours import RED, YELLOW
from executor.local.runner.outcome import SystemFailure
from executor.local.runner.script import ScriptContext

_REQUEST_TIMEOUT_MINUTES = "10"
_PULLS = ("pull", "pull-push", "")
_PUSHES = ("push", "pull-push", "")
_RESERVED_SUFFIX = "-protected"


def caches_to_restore(caches: tuple[Cache, ...]) -> tuple[Cache, ...]:
    """Return the caches that hold anything."""
    return tuple(cache for cache in caches if cache.paths or cache.untracked)


def caches_to_save(caches: tuple[Cache, ...], state: str) -> tuple[Cache, ...]:
    """Return the caches to save in the state `on_success` or `on_failure`."""
    held = caches_to_restore(caches)
    return tuple(cache for cache in held if cache.when in (state, "always"))


def restore_cache(context: ScriptContext) -> str:
    """Return the script that gets what an earlier job has saved."""
    lines: list[str] = []
    for cache in caches_to_restore(context.assignment.caches):
        key = context.variables.expand(cache.key)
        if _policy(context, cache, key) not in _PULLS:
            lines.append(context.say(f"Not downloading cache {key} due to policy"))
            continue
        keys = [key, *(context.variables.expand(item) for item in cache.fallback_keys)]
        last = context.variables.get("CACHE_FALLBACK_KEY").rstrip(" /\\")
        if last and not last.endswith(_RESERVED_SUFFIX):
            keys.append(last)
        lines += _guarded(context, _extraction(context, keys), "Extracting cache")
    return _whole(context, lines)


def archive_cache(context: ScriptContext) -> str:
    """Return the script that saves the caches of a job that has passed."""
    return _archive(context, "on_success")


def archive_cache_on_failure(context: ScriptContext) -> str:
    """Return the script that saves the caches of a job that has failed."""
    return _archive(context, "on_failure")


def _archive(context: ScriptContext, state: str) -> str:
    lines: list[str] = []
    for cache in caches_to_save(context.assignment.caches, state):
        key = context.variables.expand(cache.key)
        if _policy(context, cache, key) not in _PUSHES:
            lines.append(context.say(f"Not uploading cache {key} due to policy"))
            continue
        arguments = _command(context, "cache-archiver", key)
        for path in cache.paths:
            arguments += ["--path", path]
        if cache.untracked:
            arguments.append("--untracked")
        arguments += _address(context, key)
        saving = [
            context.say(f"Creating cache {key}..."),
            f"if {shlex.join(arguments)}; then",
            context.say("Created cache"),
            "else",
            context.say("Failed to create cache", colour=YELLOW),
            "fi",
        ]
        lines += _guarded(context, saving, "Creating cache")
    return _whole(context, lines)


def _extraction(context: ScriptContext, keys: list[str]) -> list[str]:
    """Return the commands that try one key after the other."""
    key, *others = keys
    arguments = [*_command(context, "cache-extractor", key), *_address(context, key)]
    return [
        context.say(f"Checking cache for {key}..."),
        f"if {shlex.join(arguments)}; then",
        context.say("Successfully extracted cache"),
        "else",
        context.say("Failed to extract cache", colour=YELLOW),
        *(_extraction(context, others) if others else []),
        "fi",
    ]


def _policy(context: ScriptContext, cache: Cache, key: str) -> str:
    policy = context.variables.expand(cache.policy)
    if policy not in {*_PULLS, *_PUSHES}:
        raise SystemFailure(f"unknown cache policy {policy} for {key}")
    return policy


def _command(context: ScriptContext, name: str, key: str) -> list[str]:
    """Return a command with its archive, a path from the project to the cache directory."""
    file = posixpath.join(context.where.cache, key, "cache.zip")
    relative = posixpath.relpath(file, context.where.project)
    return ["gitlab-runner", name, "--file", relative, "--timeout", _REQUEST_TIMEOUT_MINUTES]


def _address(context: ScriptContext, key: str) -> list[str]:
    assignment = context.assignment
    if not assignment.facts.has_cache_server:
        return []
    token = urlencode({"token": assignment.token})
    return ["--url", f"{assignment.facts.site.url}/cache/{quote(key, safe='')}?{token}"]


def _guarded(context: ScriptContext, lines: list[str], action: str) -> list[str]:
    said = f"ERROR: Missing gitlab-runner in the helper container. {action} is impossible."
    return [
        "if gitlab-runner --version >/dev/null 2>&1; then",
        *lines,
        "else",
        context.say(said, colour=RED),
        "exit 1",
        "fi",
    ]


def _whole(context: ScriptContext, lines: list[str]) -> str:
    entering = f"cd {shlex.quote(context.where.project)}"
    return context.whole([*context.exports(), entering, *lines])
