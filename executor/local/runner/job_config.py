"""What the config hook answers, over what the registration says.

Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from executor.local.runner.outcome import SystemFailure

_RUN_CONTEXT = "DIND_EXECUTOR_RUN_CONTEXT"
"""What dind-executor's config hook has the other hooks know."""


@dataclass(frozen=True, slots=True)
class JobConfig:
    """The answer, over what the registration says."""

    builds_dir: str
    cache_dir: str
    shell: str
    builds_dir_is_shared: bool = False
    hostname: str = ""
    job_env: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    version: str = ""

    @property
    def record(self) -> tuple[str, str]:
        """Return the directory of dind-executor's records and the job's key there; "" for both if unknown."""
        try:
            said = json.loads(self.job_env.get(_RUN_CONTEXT, ""))
            return str(said["spool"]), str(said["key"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return "", ""


def configured(config: JobConfig, answer: bytes) -> JobConfig:
    """Return the configuration with an answer's; no answer at all changes nothing."""
    if not answer:
        return config
    try:
        content: object = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from None
    fields = _object(content, "it")
    named = _object(fields.get("driver"), "driver")
    job_env = _object(fields.get("job_env"), "job_env")
    is_shared = fields.get("builds_dir_is_shared")
    if not isinstance(is_shared, bool | None):
        raise _unreadable("builds_dir_is_shared is neither true nor false")
    return JobConfig(
        builds_dir=_text(fields, "builds_dir", config.builds_dir),
        cache_dir=_text(fields, "cache_dir", config.cache_dir),
        shell=_text(fields, "shell", config.shell),
        builds_dir_is_shared=bool(is_shared),
        hostname=_text(fields, "hostname", ""),
        job_env={key: _text(job_env, key, "") for key in job_env},
        name=_text(named, "name", ""),
        version=_text(named, "version", ""),
    )


def _object(value: object, name: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unreadable(f"{name} is not an object")
    return value


def _text(fields: Mapping[str, object], key: str, default: str) -> str:
    value = fields.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _unreadable(f"{key} is not a string")
    return value


def _unreadable(sentence: str) -> SystemFailure:
    return SystemFailure(f"error while parsing JSON output: {sentence}")
