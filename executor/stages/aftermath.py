"""What a later sweep needs if this job's gitlab-runner dies: noted by config while it lives."""

from executor.host.system_id import runner_system_id
from executor.host.traces import open_traces
from executor.notation.owner import Owner
from executor.quick_json import dumps
from executor.runner import notes
from executor.runner.environ import RunnerEnv

_AUTHORITIES = "CI_SERVER_TLS_CA_FILE"
"""gitlab-runner hands on the certificates of its own connection to GitLab: their content, not a path."""
_CONFIG = "CONFIG_FILE"
"""Where gitlab-runner looks for its configuration unless an option names another file."""


def leave_aftermath(env: RunnerEnv, owner: Owner | None) -> None:
    """Note how GitLab is known and knows the owner, and which files of job logs the owner has open.

    A disk that is full does not matter here: the job fails elsewhere, and with a better sentence.
    """
    if not env.temp_dir:
        return  # gitlab-runner always gives one; a person who tries a hook may not
    traces = open_traces(owner.pid, env.temp_dir.rpartition("/")[0]) if owner else []
    system_id = runner_system_id(owner.pid, env.host(_CONFIG)) if owner else ""
    authorities = env.job_value(_AUTHORITIES) or ""
    try:
        if traces:
            notes.leave(env.temp_dir, notes.TRACES, dumps(traces).encode())
        if system_id:
            notes.leave(env.temp_dir, notes.SYSTEM_ID, system_id.encode())
        if authorities:
            notes.leave(env.temp_dir, notes.AUTHORITIES, authorities.encode(errors="replace"))
    except OSError:
        return
