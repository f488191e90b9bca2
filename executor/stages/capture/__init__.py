"""Keeps the payload of a job that failed, without its secrets, where the administrator wants that.

Loaded after a failure only, and only where `[log] capture` is on.
"""

import json
import time

from executor import __version__
from executor.errors import BUILD_FAILURE, Cancelled, ExecutorError, ScriptFailed
from executor.files import read_regular
from executor.host.captures import keep, remove
from executor.log import AdministratorLog
from executor.notation.json_text import decoded
from executor.reading import known_logins
from executor.runner.captures import MARK, VERSION, placeholders_in, without_login
from executor.runner.environ import RunnerEnv
from executor.runner.payload import parse_job
from executor.stages.capture.placeholders import replaced
from executor.stages.capture.secrets import find_secrets

_MOST_BYTES = 2 * 1024 * 1024
"""Larger payloads are not kept."""
_LATE = (
    "after_script",
    "archive_cache",
    "archive_cache_on_failure",
    "upload_artifacts_on_success",
    "upload_artifacts_on_failure",
    "cleanup_file_variables",
)
"""What gitlab-runner calls after a job's script."""


def capture(env: RunnerEnv, args: list[str], log: AdministratorLog, error: Exception) -> None:
    """Keep the payload of a job whose stage has failed, if that can be done; raises nothing.

    What comes after a job's script replaces no failure of that, and a cancel is none.
    """
    sub_stage = args[-1] if log.stage == "run" and args else ""
    if isinstance(error, Cancelled) or log.stage == "cleanup":
        return
    started = time.monotonic()
    try:
        text = _captured(env, _failure(log, sub_stage, error))
        kept = keep(log.capture, _name(log), text, replaces=sub_stage not in _LATE)
    except Exception as problem:  # noqa: BLE001 (whatever it is, it is not the job's)
        log.event("payload not captured", reason=type(problem).__name__)
        return
    log.done("payload captured", started, file=kept)


def forget(log: AdministratorLog) -> None:
    """Remove what was kept of a job that went on and succeeded; raises nothing."""
    try:
        remove(log.capture, _name(log))
    except OSError as problem:
        log.event("captured payload not removed", reason=type(problem).__name__)


def _name(log: AdministratorLog) -> str:
    return f"{log.job['key']}.json"


def _failure(log: AdministratorLog, sub_stage: str, error: Exception) -> dict[str, object]:
    return {
        "stage": log.stage,
        "sub_stage": sub_stage,
        "kind": type(error).__name__,
        "is_build_failure": isinstance(error, ExecutorError) and error.outcome == BUILD_FAILURE,
        "script_exit_code": error.exit_code if isinstance(error, ScriptFailed) else None,
        "sentence": "" if isinstance(error, ScriptFailed) else _sentence(error),
    }


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, ExecutorError) else ""


def _captured(env: RunnerEnv, failure: dict[str, object]) -> str:
    """Return the text to keep; raises whatever is wrong with the payload or the text."""
    payload = decoded(read_regular(env.job_response_file, _MOST_BYTES).decode())
    job, values = parse_job(payload), env.job_values()
    found = find_secrets(job, payload, values, known_logins(env, job, values))
    whole = {
        MARK: VERSION,
        "version": __version__,
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "failure": failure,
        # In the payload it is the value of a private variable, and replaced as a whole.
        "repository": without_login(job.repo_url),
        "payload": payload,
        "values": values,
    }
    document = replaced(whole, found)
    text = json.dumps(document, ensure_ascii=False)
    document["placeholders"] = sorted(placeholders_in(text))
    return json.dumps(document, ensure_ascii=False, indent=1)
