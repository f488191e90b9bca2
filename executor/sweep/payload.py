"""The payload of a job whose gitlab-runner is dead: what it takes to speak of the job to GitLab.

Pure: no I/O.  A job's author writes parts of a payload; GitLab's address is that of the project's
own URL in it, which GitLab alone writes (`Job.gitlab_url`).  So no variable leads the token, or a
request from the runner host, to another host.
"""

from executor.dataclass import dataclass, field
from executor.errors import JobPayloadError
from executor.quick_json import loads
from executor.runner.payload import parse_job

_AUTHORITIES = "CI_SERVER_TLS_CA_FILE"
_LONGEST_TOKEN = 16 << 10
_LAST_ID = (1 << 63) - 1
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+/=:")


class UnusablePayload(ValueError):
    """Nothing can be said to GitLab with this payload; the text says why, without its content."""


@dataclass(frozen=True, slots=True)
class LeftPayload:
    """What is left of a job that nobody runs any more."""

    job_id: int
    token: str = field(repr=False)
    gitlab: str
    """GitLab's base URL, without credentials and without a slash at its end."""
    authorities: str = field(default="", repr=False)
    """Certificates in PEM that GitLab's own may be signed with, besides those of the host."""
    system_id: str = ""
    """By what GitLab tells the dead gitlab-runner from others of its token; "" if not known."""
    is_signed: bool = True
    """Whether a note beside it said so; else it is what gitlab-runners of this host are known by."""


def parse_left_payload(content: bytes, authorities: str = "", system_id: str = "") -> LeftPayload:
    """Return what a payload says of its job; raises UnusablePayload.

    `authorities` are the certificates that gitlab-runner itself knew for this GitLab, `system_id` is
    its own id there.
    """
    try:
        job = parse_job(loads(content))
    except (ValueError, RecursionError):
        raise UnusablePayload("it is not JSON") from None
    except JobPayloadError:
        raise UnusablePayload("it is not what gitlab-runner writes") from None
    if not 0 < job.id <= _LAST_ID:
        raise UnusablePayload("it has no usable id")
    # The token travels in a header: nothing in it may end one.
    if not 0 < len(job.token) <= _LONGEST_TOKEN or not _TOKEN.issuperset(job.token):
        raise UnusablePayload("it has no usable token")
    if not job.gitlab_url:
        raise UnusablePayload("it names no GitLab")
    own = (each.value for each in job.variables if each.key == _AUTHORITIES)
    trusted = authorities or next(own, "")
    return LeftPayload(job.id, job.token, job.gitlab_url, trusted, system_id)
