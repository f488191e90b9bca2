"""Which caches are a job's: its project's, in the slot that the runner put it into.

Pure: no I/O.
"""

from typing import TYPE_CHECKING

from executor.digests import sha256
from executor.notation.booleans import is_true
from executor.runner.payload import Job

if TYPE_CHECKING:
    from executor.plan.inputs import Inputs

_RUNNERS_WORDS = ("CI_RUNNER_SHORT_TOKEN", "CI_CONCURRENT_PROJECT_ID")
"""What only the runner knows of the slot; a job's variable of the same name would win."""

_OF_RUNNER = ("CI_RUNNER_SHORT_TOKEN", "CI_CONCURRENT_ID")
"""Likewise of the slot among all that the runner has, whatever project's job is in it."""

_PROTECTED = "CI_COMMIT_REF_PROTECTED"

_STRATEGIES = ("clone", "fetch", "none", "empty")


def git_strategy(inputs: "Inputs") -> str:
    """Return the job's GIT_STRATEGY, as gitlab-runner reads it."""
    value = inputs.values.get("GIT_STRATEGY", "")
    if value in _STRATEGIES:
        return value
    return "fetch" if inputs.job.may_fetch else "clone"


def is_protected(job: Job) -> bool:
    """Tell whether a job's caches are kept apart from those of refs that anybody may push to.

    Of several variables of a name the first is GitLab's own: an author's comes after it.
    """
    keys = [key for key in job.cache_keys if key.endswith("-protected")]
    if any(not key.endswith("-non_protected") for key in keys):
        return True
    if job.protected is not None:
        return job.protected
    return is_true(_given(job, _PROTECTED))


def is_of_protected_ref(job: Job) -> bool:
    """Tell whether a job's ref is protected, by GitLab's word alone.

    Keys of caches do not count: where a project does not separate them, they are their author's.  If
    the author has a variable of GitLab's name too, one that says no counts: GitLab puts what others
    refer to first.
    """
    if job.protected is not None:
        return job.protected
    said = [each.value for each in job.variables if each.key == _PROTECTED]
    return bool(said) and all(map(is_true, said))


def slot_name(inputs: "Inputs") -> str:
    """Return what the caches of a runner's slot for a project are named by.

    Empty where the job hides which slot it is in.  Everything else follows from the payload: no
    job can name another project's.  Short tokens alone do not tell runners apart, as those of
    one GitLab may all begin alike.
    """
    return _name(inputs, _RUNNERS_WORDS, f"project-{inputs.job.project_id}-", inputs.job.project_id)


def runner_slot_name(inputs: "Inputs") -> str:
    """Return what is named by a runner's slot, whatever project's job is in it; empty where hidden."""
    return _name(inputs, _OF_RUNNER, "")


def _name(inputs: "Inputs", words: tuple[str, str], shown: str, *of_project: int) -> str:
    job, values = inputs.job, inputs.values
    short, slot = (values.get(each, "") for each in words)
    if any(map(job.sets, words)) or not slot.isdecimal() or not short:
        return ""
    identity = (_server(job.repo_url), _given(job, "CI_RUNNER_ID"), short, *of_project, slot)
    digest = sha256("\n".join(map(str, identity)).encode()).hexdigest()[:12]
    readable = "".join(c for c in short.lower() if c.isascii() and (c.isalnum() or c == "-"))
    return f"runner-{readable}-{shown}concurrent-{slot}-{digest}"


def hidden_words(inputs: "Inputs") -> tuple[str, ...]:
    """Return those of the runner's words that the job has put its own in place of."""
    return tuple(key for key in _RUNNERS_WORDS if inputs.job.sets(key))


def _given(job: Job, key: str) -> str:
    return next((each.value for each in job.variables if each.key == key), "")


def _server(repo_url: str) -> str:
    """Return the host name in a repository's URL."""
    return repo_url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
