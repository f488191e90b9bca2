"""Reads what a job is planned from: a payload as gitlab-runner writes it, or a captured one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from executor.errors import JobPayloadError
from executor.files import read_regular
from executor.local.project.variables import Variable
from executor.local.runner.job_variables import DEFAULT_RUNNER_VERSION, JobVariables
from executor.notation.json_text import decoded
from executor.runner.captures import MARK, VERSION
from executor.runner.payload import Job

_MOST_BYTES = 64 * 1024 * 1024
_CUSTOM_ENV = "CUSTOM_ENV_"


class Given(NamedTuple):
    """A job as it was handed over."""

    payload: object
    values: Mapping[str, str] | None
    """The variables as gitlab-runner expanded them; None where nothing says so."""
    capture: Mapping[str, object] = {}
    """What else a captured payload says; empty for a plain one."""


def read_given(path: Path, environ: Mapping[str, str]) -> Given:
    """Read a payload; raises JobPayloadError, without a word of the content.

    A hook that gitlab-runner calls has the variables in its own environment.
    """
    try:
        document = decoded(read_regular(str(path), _MOST_BYTES).decode())
    except OSError as error:
        raise JobPayloadError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise JobPayloadError(
            f"{path} is not JSON. Give the response.json of a job (JOB_RESPONSE_FILE), or a"
            " captured payload."
        ) from None
    if isinstance(document, dict) and MARK in document:
        values = document.get("values")
        if document[MARK] != VERSION or not _are_values(values):
            raise JobPayloadError(f"{path} was captured by another version of dind-executor.")
        return Given(document.get("payload"), values, document)
    own = {
        key.removeprefix(_CUSTOM_ENV): each
        for key, each in environ.items()
        if key.startswith(_CUSTOM_ENV)
    }
    return Given(document, own or None)


def assumed_values(job: Job, payload: object, builds_dir: str) -> dict[str, str]:
    """Return the variables of a job as gitlab-runner would expand them in its first slot."""
    project = f"{builds_dir}/{_project_path(payload)}"
    temporary = f"{project}.tmp"
    before = {
        "CI_JOB_IMAGE": job.image.name,
        "CI_BUILDS_DIR": builds_dir,
        "CI_PROJECT_DIR": project,
        "CI_CONCURRENT_ID": "0",
        "CI_CONCURRENT_PROJECT_ID": "0",
        "CI_SERVER": "yes",
        "CI_JOB_STATUS": "running",
        "CI_JOB_TIMEOUT": str(job.timeout_seconds),
    }
    after = {
        "CI_SHARED_ENVIRONMENT": "true",
        "CI_RUNNER_VERSION": DEFAULT_RUNNER_VERSION,
        "RUNNER_TEMP_PROJECT_DIR": temporary,
    }
    own = (Variable(each.key, each.value, file=each.file, raw=each.raw) for each in job.variables)
    variables = (*_made(before), *own, *_made(after))
    return {
        each.key: each.value
        for each in JobVariables(variables, temporary).expanded()
        if each.key not in job.secret_keys
    }


def _made(values: Mapping[str, str]) -> tuple[Variable, ...]:
    return tuple(Variable(key, value) for key, value in values.items())


def _project_path(payload: object) -> str:
    info = payload.get("job_info") if isinstance(payload, dict) else None
    path = info.get("project_full_path") if isinstance(info, dict) else None
    return path if isinstance(path, str) and path else "project"


def _are_values(values: object) -> bool:
    return isinstance(values, dict) and all(isinstance(each, str) for each in values.values())


def environment(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a hook that has these variables, and those of the host."""
    own = {key: each for key, each in environ.items() if not key.startswith(_CUSTOM_ENV)}
    own.pop("TMPDIR", None)  # what lies there is no job's
    return {**own, **{f"{_CUSTOM_ENV}{key}": each for key, each in values.items()}}


def dumped(document: object) -> str:
    """Return a document as people and programs read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)
