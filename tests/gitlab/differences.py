"""What may differ between the job log of gitlab-runner's Docker executor and of ours: data.

`docs/parity.md` shows it as a table.  In a line, `…` stands for any text and `<name>` for an
image's name without a tag.  A line of both sides is one line, said in other words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.gitlab.parity_log import DOCKER, PREPARATION, SUMMARY, Line, unequal

_SCRIPTS = ("prepare_script", "step_script", "after_script")
_PLACEHOLDERS = {"…": "(.+)", "<name>": r"([\w./-]+)"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One admitted difference; a side that says nothing of the kind has an empty line."""

    docker: str
    ours: str
    why: str
    sections: Sequence[str] = ()

    def pattern(self, side: str) -> re.Pattern[str]:
        """Return what recognises the line of one side, with a group for each placeholder."""
        text = re.escape(self.docker if side == DOCKER else self.ours)
        for placeholder, pattern in _PLACEHOLDERS.items():
            text = text.replace(re.escape(placeholder), pattern)
        return re.compile(text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What GitLab is told of a job's end where it is not the same: the job, and both reasons."""

    job: str
    what: str
    docker: str
    ours: str
    why: str


_RETRY = "Another attempt cannot help, so the job fails at once with one message."

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        'Preparing the "docker" executor',
        'Preparing the "custom" executor',
        "gitlab-runner's own line: the executor's name in config.toml.",
    ),
    Difference("Using Docker executor with image … ...", "", "Each executor names itself."),
    Difference(
        "",
        "Using dind-executor with image … ...",
        "Each executor names itself; dind-executor does not if it refuses the job before it starts.",
    ),
    Difference(
        "Pulling docker image <helper image> ...",
        "",
        "dind-executor checks what the job asks for before it pulls anything.",
    ),
    Difference(
        "",
        "Using Custom executor with driver dind-executor …...",
        "gitlab-runner's own line for every custom executor.",
    ),
    Difference(
        "",
        "WARNING: Starting with version 17.0 the 'build_script' stage will be replaced with"
        " 'step_script': https://gitlab.com/groups/gitlab-org/-/epics/6112",
        "gitlab-runner's own line before the script of every custom executor; ignore it.",
    ),
    Difference(
        "Using helper image:  <helper image>  (overridden, default would be  … )",
        "",
        "dind-executor prints it once, in the preparation, after its checks.",
    ),
    Difference(
        "Using docker image sha256:<id> for <helper image> with digest … ...",
        "",
        "As above.",
    ),
    Difference(
        "Using docker image sha256:<id> for … ...",
        "",
        "dind-executor looks an image up once, in the preparation, and prints it once.",
        _SCRIPTS,
    ),
    Difference(
        "",
        "Using effective pull policy of … for container …",
        "gitlab-runner's Docker executor prints it only in versions after 17.9.",
    ),
    Difference(
        "Pulling docker image <name> ...",
        "Pulling docker image <name>:latest ...",
        "dind-executor prints the tag that it uses.",
    ),
    Difference(
        "Using docker image sha256:<id> for <name> with digest … ...",
        "Using docker image sha256:<id> for <name>:latest with digest … ...",
        "As above.",
    ),
    Difference(
        "WARNING: Service … is already created. Ignoring.",
        "",
        "dind-executor prints the line of newer versions of gitlab-runner instead.",
    ),
    Difference(
        "",
        'WARNING: Skipping alias "…" for service "…" (services[…]): alias is already in use by'
        " another service.",
        "The line of newer versions of gitlab-runner; it names the alias.",
    ),
    Difference(
        "Waiting for services to be up and running (timeout 30 seconds)...",
        "",
        "dind-executor waits for the sidecar when the first script starts, until it"
        " [listens](services.md#when-the-first-script-starts).",
    ),
    Difference(
        "what the entrypoint says",
        "",
        "dind-executor starts a container once, not for every script: the entrypoint's output is in"
        " the preparation.",
        _SCRIPTS,
    ),
    Difference("", "what the entrypoint says", "As above.", (PREPARATION,)),
    Difference(
        "ERROR: Job failed: exit code …",
        "ERROR: Job failed: exit status …",
        "gitlab-runner's own wording for every custom executor.",
    ),
    Difference(
        "WARNING: after_script failed, but job will continue unaffected: exit code …",
        "WARNING: after_script failed, but job will continue unaffected: exit status …",
        "As above.",
    ),
    Difference(
        "ERROR: Job failed: failed to pull image …",
        "",
        "gitlab-runner writes the last line of a custom executor's job; the error is before it.",
    ),
    Difference(
        "ERROR: Job failed: invalid pull policy for image …",
        "ERROR: invalid pull policy for image ….",
        "As above.",
    ),
    Difference(
        'WARNING: Failed to pull image with policy "always": …',
        "",
        "The error says the same.",
    ),
    Difference(
        "",
        "ERROR: failed to pull image …",
        "The error says what to check.",
    ),
    Difference(
        "",
        "ERROR: Job failed: exit status 1",
        "gitlab-runner's own last line if the preparation of a custom executor fails.",
        (PREPARATION,),
    ),
    Difference(
        "",
        "What the job took",
        "Lines about pulls, sidecar and build cache follow, in a section that opens with a click;"
        " `[log] job_summary` switches them off.",
        (SUMMARY,),
    ),
    Difference("ERROR: Job failed (system failure): disallowed image", "", _RETRY),
    Difference("ERROR: Preparation failed: disallowed image", "", _RETRY),
    Difference("Will be retried in 3s ...", "", _RETRY),
    Difference("ERROR: Failed to remove network for build", "", "No network was made."),
    Difference(
        "Please check runner's allowed_images configuration: …",
        "Use an image from this list, or ask the administrator to add yours to `[docker]"
        " allowed_images`.",
        "What to do.",
    ),
)

OUTCOMES: tuple[Outcome, ...] = (
    Outcome(
        "no-image",
        "its image does not exist",
        "image_pull_failure",
        "script_failure",
        "A custom executor can report only a script failure or a system failure, and gitlab-runner"
        " would try prepare three times after a system failure.",
    ),
    Outcome(
        "pull-policy",
        "it asks for a pull policy that is not allowed",
        "configuration_error",
        "script_failure",
        "As above.",
    ),
    Outcome(
        "not-allowed",
        "its image is not on the list of allowed ones",
        "runner_system_failure",
        "script_failure",
        "Nothing is wrong with the runner.",
    ),
)


def surprises(
    docker: Mapping[str, list[str]], ours: Mapping[str, list[str]], used: set[Difference]
) -> list[Line]:
    """Return the lines that differ without being admitted; `used` takes the differences found.

    The logs are given by section (`parity_log.sections`).
    """
    return [
        line
        for name in dict.fromkeys((*docker, *ours))
        for line in _section(name, docker.get(name, []), ours.get(name, []), used)
    ]


def _section(
    name: str, docker: Iterable[str], ours: Iterable[str], used: set[Difference]
) -> list[Line]:
    admitted = [each for each in DIFFERENCES if name in (each.sections or (name,))]
    said = [_in_our_words(line, admitted, used) for line in docker]
    return [
        line
        for line in unequal(name, said, list(ours))
        if not any(_admits(each, line, used) for each in admitted)
    ]


def _in_our_words(line: str, admitted: Iterable[Difference], used: set[Difference]) -> str:
    for each in admitted:
        match = each.pattern(DOCKER).fullmatch(line) if each.docker and each.ours else None
        if match:
            used.add(each)
            texts = iter(match.groups())
            line = re.sub("|".join(_PLACEHOLDERS), lambda _: next(texts), each.ours)  # noqa: B023
    return line


def _admits(difference: Difference, line: Line, used: set[Difference]) -> bool:
    text = difference.docker if line.side == DOCKER else difference.ours
    if not text or (difference.docker and difference.ours):
        return False
    if not difference.pattern(line.side).fullmatch(line.text):
        return False
    used.add(difference)
    return True
