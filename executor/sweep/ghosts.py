"""A dead gitlab-runner's job, from what its temporary directory holds to its end in GitLab."""

import os
import time
from collections.abc import Mapping

from executor.log import AdministratorLog
from executor.names import JOB_ID_LABEL, LABEL
from executor.sweep.answers import Ghost, GhostOutcome, last_line, unanswered
from executor.sweep.files import LeftDirectory, claimed, read_payload
from executor.sweep.ghost import end_ghost
from executor.sweep.payload import UnusablePayload

LONGEST_SECONDS = 5.0
"""How long GitLab may take in all."""


def end_left(
    left: LeftDirectory,
    *,
    environ: Mapping[str, str],
    log: AdministratorLog,
    deadline: float | None = None,
    patience_seconds: float = 0.0,
    own: str = "",
) -> GhostOutcome:
    """End the job of a directory in GitLab; its gitlab-runner is proved dead.

    Returns UNANSWERED where the directory is to be kept for the next sweep.  `environ` names the
    proxies, `deadline` is of `time.monotonic`.  Another sweep that is at it is waited for as long as
    there is patience.  `own` is the directory of the job that sweeps: its notes know a GitLab, too.
    """
    try:
        with claimed(left, patience_seconds) as is_ours:
            if not is_ours:
                return unanswered("another sweep is at it")
            longest = time.monotonic() + LONGEST_SECONDS
            until = longest if deadline is None else min(deadline, longest)
            outcome = _end(left, until, environ, own)
    except FileNotFoundError:
        return GhostOutcome(Ghost.OVER, "another sweep has ended it, and removed its payload")
    facts = {"job": left.facts.get(LABEL, ""), "ghost_id": left.facts.get(JOB_ID_LABEL, "")}
    if outcome.ghost in (Ghost.ENDED, Ghost.OVER):
        log.event("ghost ended", **facts, ghost=outcome.ghost.value)
    else:
        log.event("ghost not ended", **facts, error=outcome.reason)
    return outcome


def _end(left: LeftDirectory, until: float, environ: Mapping[str, str], own: str) -> GhostOutcome:
    try:
        payload = read_payload(left)
        if not left.is_signed:
            from executor.sweep.unsigned import with_what_is_known  # noqa: PLC0415 (rarely needed)

            payload = with_what_is_known(payload, left, own)
    except UnusablePayload as error:
        return GhostOutcome(Ghost.UNUSABLE, f"the payload {left.path} cannot be used: {error}")
    outcome = end_ghost(payload, last_line(os.uname().nodename), until, environ=environ)
    if outcome.ghost is Ghost.UNANSWERED:
        return unanswered(f"GitLab at {payload.gitlab} did not end the job: {outcome.reason}")
    return outcome
