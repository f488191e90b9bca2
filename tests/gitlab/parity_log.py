"""Two job logs of one job, made comparable: what chance, time and place decide is taken out. Pure."""

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.gitlab import trace

# Both make the environment in this section; ours does several things of it at the same time.
PREPARATION = "prepare_executor"
# The helper's programs write to one stream and the scripts around them to the other.
_TWO_STREAMS = ("_cache", "_artifacts", "_on_success", "_on_failure")
BEGIN = ""
SUMMARY = "dind_executor_summary"

TICK = "tick"

DOCKER, OURS = "docker", "ours"

_SECTION_START = re.compile(r"section_start:\d+:([\w.-]+)(?:\[[^\]]*\])?\r")
_SUMMARY = re.compile(
    r"section_start:\d+:dind_executor_summary\[[^\]]*\]\r(.*?)"
    r"section_end:\d+:dind_executor_summary\r\x1b\[0K",
    re.DOTALL,
)
"""A section inside of another one."""
_BY_CHANCE = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:<id>"),
    (re.compile(r"(?<=system ID: )\S+"), "<system id>"),
    (re.compile(r"(?<= correlation_id=)\S*"), "<id>"),
    (re.compile(r"\brunner-[\w-]+-concurrent-\d+(?:-[0-9a-f]{16})?"), "<host>"),
    (re.compile(r"(?<=Running on )\S+(?= via )"), "<host>"),
    (re.compile(r"(?<= id=)\d+"), "<id>"),
    (re.compile(r"(?<=pid=)\d+"), "<pid>"),
    (re.compile(r"(?<=\bon tests )\S+(?=,)"), "<runner>"),
    (re.compile(r"(?<=http://)[\d.]+:\d+"), "<gitlab>"),
    (re.compile(r"(?<= host=)[\d.]+:\d+"), "<gitlab>"),
    # Which of the names of one content the engine tells first.
    (re.compile(r"(?<= with digest )\S+(?=@sha256:)"), "<repository>"),
    (re.compile(r"(?<= token=)\S+"), "<token>"),
    (re.compile(r"\(\w+\.go:\d+:\d+s\)"), "(<place>)"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:ms|s)\b(?= elapsed|\))"), "<time>"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that only one of the two logs has."""

    side: str
    section: str
    text: str


def sections(raw: bytes, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the lines of a job log by section, without what differs from run to run.

    Texts of `names` are replaced, in their order.
    """
    whole = raw.decode(errors="replace")
    for name, replacement in names.items():
        whole = whole.replace(name, replacement)
    # Its heading: what is known in time for the lines below is chance.
    summary = "".join(each.partition("\n")[0] for each in _SUMMARY.findall(whole))
    parts = _SECTION_START.split(_SUMMARY.sub("", whole))
    named = [*zip([BEGIN, *parts[1::2]], parts[::2], strict=True), (SUMMARY, summary)]
    found: dict[str, list[str]] = {}
    for name, text in named:
        found.setdefault(name, []).extend(_settled(trace.lines(text.encode())))
    return found


def unequal(section: str, docker: list[str], ours: list[str]) -> Iterator[Line]:
    """Return the lines that only one side has.

    Their order and number count, but for the preparation: ours does things at once there, and once.
    What comes by two streams may come in any order.
    """
    if section == PREPARATION:
        docker, ours = sorted(set(docker)), sorted(set(ours))
    elif section.endswith(_TWO_STREAMS):
        docker, ours = sorted(docker), sorted(ours)
    for entry in difflib.ndiff(docker, ours):
        side = {"- ": DOCKER, "+ ": OURS}.get(entry[:2])
        if side:
            yield Line(side, section, entry[2:])


def _settled(lines: list[str]) -> list[str]:
    for pattern, replacement in _BY_CHANCE:
        lines = [pattern.sub(replacement, line) for line in lines]
    # Whether a shell lives to say what became of its child, which a cancel has ended as well.
    lines = [line for line in lines if line != "Terminated"]
    # How often a script said it until somebody stopped it.
    ticks = [line == TICK == before for before, line in itertools.pairwise(["", *lines])]
    return [line for line, again in zip(lines, ticks, strict=True) if not again]
