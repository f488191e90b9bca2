"""Reading what a job caches, waits for, survives and deploys to: cache, needs, retry, ...

Pure.
"""

from collections.abc import Mapping

from executor.local.pipeline.keywords import (
    WHEN,
    Place,
    described,
    flag_at,
    mapping_at,
    one_of,
    scalar_text,
    strings_at,
    text_at,
)
from executor.local.pipeline.model import (
    RETRY_ALWAYS,
    Cache,
    Environment,
    Need,
    Retry,
)
from executor.local.pipeline.parallel import matrix_names
from executor.notation.durations import gitlab_seconds

_MOST_RETRIES = 2
_MOST_CACHES = 4
_MOST_FALLBACK_KEYS = 5
_MOST_KEY_FILES = 2
_POLICIES = ("pull-push", "pull", "push")
_FAILURES = (
    *(RETRY_ALWAYS, "unknown_failure", "script_failure", "api_failure"),
    *("stuck_or_timeout_failure", "runner_system_failure", "runner_unsupported"),
    *("stale_schedule", "job_execution_timeout", "archived_failure", "unmet_prerequisites"),
    *("scheduler_failure", "data_integrity_failure"),
)
_ACTIONS = ("start", "prepare", "stop", "verify", "access")
_TIERS = ("production", "staging", "testing", "development", "other")


def caches_at(value: object, place: Place) -> tuple[Cache, ...]:
    """Return the caches of a job, written alone or as a list."""
    if not isinstance(value, list):
        return (_cache(value, place),) if value != {} else ()
    if len(value) > _MOST_CACHES:
        raise place.error(f"there are {len(value)} caches; at most {_MOST_CACHES} are allowed")
    return tuple(_cache(item, place.of(index)) for index, item in enumerate(value))


def _cache(value: object, place: Place) -> Cache:
    fields = mapping_at(value, place)
    known = ("key", "paths", "untracked", "policy", "when", "fallback_keys", "unprotect")
    place.check_keys(fields, known)
    # Only GitLab knows protected branches; here no branch is protected.
    flag_at(fields.get("unprotect", False), place.of("unprotect"))
    key, files = _cache_key(fields.get("key", "default"), place.of("key"))
    fallback_keys = strings_at(fields.get("fallback_keys", []), place.of("fallback_keys"))
    if len(fallback_keys) > _MOST_FALLBACK_KEYS:
        raise place.of("fallback_keys").error(f"at most {_MOST_FALLBACK_KEYS} are allowed")
    return Cache(
        key=key,
        key_files=files,
        paths=strings_at(fields.get("paths", []), place.of("paths")),
        untracked=flag_at(fields.get("untracked", False), place.of("untracked")),
        policy=_policy(fields.get("policy", "pull-push"), place.of("policy")),
        when=one_of(WHEN, fields.get("when", "on_success"), place.of("when")),
        fallback_keys=fallback_keys,
    )


def _cache_key(value: object, place: Place) -> tuple[str, tuple[str, ...]]:
    """Return a key and its files; the key is then what stands before theirs."""
    if not isinstance(value, dict):
        return _key_text(value, place), ()
    fields = mapping_at(value, place)
    place.check_keys(fields, ("files", "files_commits", "prefix"))
    lists = [name for name in ("files", "files_commits") if name in fields]
    if len(lists) != 1:
        raise place.error("give either files or files_commits")
    files = strings_at(fields[lists[0]], place.of(lists[0]))
    if not 0 < len(files) <= _MOST_KEY_FILES:
        raise place.of(lists[0]).error(f"list one to {_MOST_KEY_FILES} files")
    prefix = _key_text(fields["prefix"], place.of("prefix")) if "prefix" in fields else ""
    return prefix, files


def _key_text(value: object, place: Place) -> str:
    if isinstance(value, dict | list) or value is None:
        raise place.error(f"a string is expected, not {described(value)}")
    key = scalar_text(value)
    if not key or "/" in key or "%2f" in key.lower() or not key.strip("."):
        raise place.error(
            f'"{key}" is not a cache key; a key is not empty, has no / and is not only dots'
        )
    return key


def _policy(value: object, place: Place) -> str:
    if isinstance(value, str) and "$" in value:
        return value
    return one_of(_POLICIES, value, place)


def needs_at(value: object, place: Place) -> tuple[Need, ...]:
    """Return the jobs that a job waits for instead of its stage."""
    if not isinstance(value, list):
        raise place.error(f"a list of jobs is expected, not {described(value)}")
    return tuple(need for index, item in enumerate(value) for need in _need(item, place.of(index)))


def _need(value: object, place: Place) -> tuple[Need, ...]:
    if isinstance(value, str):
        return (Need(text_at(value, place)),)
    fields = mapping_at(value, place)
    place.check_keys(fields, ("job", "artifacts", "optional", "parallel"))
    name = text_at(fields.get("job"), place.of("job"))
    names = [name]
    if "parallel" in fields:
        names = matrix_names(name, fields["parallel"], place.of("parallel"))
    artifacts = flag_at(fields.get("artifacts", True), place.of("artifacts"))
    optional = flag_at(fields.get("optional", False), place.of("optional"))
    return tuple(Need(one, artifacts=artifacts, optional=optional) for one in names)


def retry_at(value: object, place: Place) -> Retry:
    """Return how often a job is tried again, and after which failures."""
    if not isinstance(value, dict):
        return Retry(_retries(value, place), (RETRY_ALWAYS,))
    fields = mapping_at(value, place)
    place.check_keys(fields, ("max", "when", "exit_codes"))
    when = fields.get("when", [] if "exit_codes" in fields else [RETRY_ALWAYS])
    reasons = (when,) if isinstance(when, str) else strings_at(when, place.of("when"))
    return Retry(
        _retries(fields.get("max", 0), place.of("max")),
        tuple(one_of(_FAILURES, reason, place.of("when")) for reason in reasons),
        _exit_codes(fields, place),
    )


def _retries(value: object, place: Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_RETRIES:
        raise place.error(f"a number from 0 to {_MOST_RETRIES} is expected, not {described(value)}")
    return value


def allow_failure_at(value: object, place: Place) -> tuple[bool, tuple[int, ...]]:
    """Return whether a job may fail, or else with which exit codes alone."""
    if not isinstance(value, dict):
        return flag_at(value, place), ()
    fields = mapping_at(value, place)
    place.check_keys(fields, ("exit_codes",))
    return False, _exit_codes(fields, place)


def _exit_codes(fields: Mapping[str, object], place: Place) -> tuple[int, ...]:
    value = fields.get("exit_codes", [])
    codes = value if isinstance(value, list) else [value]
    if not all(isinstance(code, int) and not isinstance(code, bool) for code in codes):
        sentence = f"an exit code or a list of them is expected, not {described(value)}"
        raise place.of("exit_codes").error(sentence)
    return tuple(codes)


def timeout_at(value: object, place: Place) -> int:
    """Return a time limit in seconds, from GitLab's way to write one."""
    seconds = gitlab_seconds(scalar_text(value)) if isinstance(value, str | int) else 0
    if seconds <= 0:
        shown = f'"{value}"' if isinstance(value, str) else described(value)
        raise place.error(f"a duration such as 1h 30m or 90 minutes is expected, not {shown}")
    return seconds


def environment_at(value: object, place: Place) -> Environment:
    """Return the environment of a job: what variables tell of it, and which job stops it."""
    if isinstance(value, str):
        return Environment(text_at(value, place))
    fields = mapping_at(value, place)
    known = ("name", "url", "action", "deployment_tier", "on_stop", "auto_stop_in", "kubernetes")
    place.check_keys(fields, known)

    def text(key: str) -> str:
        return text_at(fields[key], place.of(key)) if key in fields else ""

    # Nothing in a pipeline depends on it: GitLab stops environments later.
    text("auto_stop_in")
    tier = fields.get("deployment_tier")
    return Environment(
        name=text_at(fields.get("name"), place.of("name")),
        url=text("url"),
        action=one_of(_ACTIONS, fields.get("action", "start"), place.of("action")),
        tier=one_of(_TIERS, tier, place.of("deployment_tier")) if tier is not None else "",
        on_stop=text("on_stop"),
    )
