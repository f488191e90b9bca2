"""What the stages of a real job have left and printed, beside what the engine says of the same."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from executor.notation.moments import moment
from executor.notation.sizes import size_text
from tests.stages.calls import JobCalls
from tests.stages.witness import Witness

Thing = Mapping[str, Any]

_LAST = "cleanup_file_variables"
_PATIENT = """\
import sys
from executor.stages import summary
summary.SECONDS = 60.0
sys.argv.insert(1, "run")
from executor.__main__ import main
main()
"""


def records(state_dir: Path) -> list[dict[str, Any]]:
    """Return what the stages have left, in order."""
    text = (state_dir / "spool" / "events.jsonl").read_text()
    return [json.loads(each) for each in text.splitlines()]


def did(found: Thing, what: str) -> list[Thing]:
    """Return the things of one kind that a stage did."""
    return [each for each in found["did"] if each["what"] == what]


@contextmanager
def engine_events(witness: Witness) -> Iterator[list[Thing]]:
    """Return the engine's events while the block runs.

    An engine that is asked afterwards knows no more than its last 256, of all that use it.
    """
    found: list[Thing] = []
    with witness.events(lambda text: found.append(json.loads(text))):
        yield found


def assert_engine_agrees(prepare: Thing, events: Sequence[Thing]) -> None:
    """Assert that each container was created and started within what its stage says."""
    prefix = f"dind-executor-{prepare['key']}-"
    about = [each for each in events if each["Type"] == "container"]
    names = [each["Actor"]["Attributes"]["name"] for each in about]
    for what in ("create", "start"):
        theirs = {
            name.removeprefix(prefix): each["timeNano"] / 1e9
            for name, each in zip(names, about, strict=True)
            if name.startswith(prefix) and each["Action"] == what
        }
        ours = {each["container"]: each for each in did(prepare, what)}
        assert ours.keys() == theirs.keys()
        for container, at in theirs.items():
            # a record counts in milliseconds
            assert prepare["at"] + ours[container]["from"] - 0.002 <= at
            assert at <= prepare["at"] + ours[container]["to"] + 0.002


def assert_in_order(found: Sequence[Thing]) -> None:
    """Assert that each stage begins after the one before, and that what it did lies within it."""
    ends = [each["clock"] + each["seconds"] for each in found]
    starts = [each["clock"] - each["start"] for each in found]
    # the kernel says in hundredths of a second when a process began
    assert all(after > end - 0.011 for end, after in zip(ends, starts[1:], strict=False))
    things = [(each, thing) for each in found for thing in each["did"]]
    assert all(0 <= thing["from"] <= thing["to"] <= each["seconds"] for each, thing in things)


def last_lines(job: JobCalls) -> list[str]:
    """Have a job's last script run, by a stage that leaves nothing out on a slow machine."""
    script = job.temp / "last"
    script.write_text("true\n")
    program = (sys.executable, "-c", _PATIENT)
    call = job.start("run", str(script), _LAST, program=program).finish().passed()
    return lines_of(call.output)


def lines_of(output: str) -> list[str]:
    """Return the lines of the section that a call has printed; fails where it has not."""
    found = re.fullmatch(
        r"section_start:\d+:dind_executor_summary\[collapsed=true\]\r\x1b\[0K"
        r"\x1b\[36;1mWhat the job took\x1b\[0;m\n"
        r"(.*)"
        r"section_end:\d+:dind_executor_summary\r\x1b\[0K",
        output,
        re.DOTALL,
    )
    assert found, output
    return found[1].splitlines()


def assert_pulls_agree(lines: Sequence[str], pulled: Sequence[Thing]) -> None:
    """Assert that the lines about pulls have the figures of the record."""
    pulls = [line for line in lines if line.startswith("Pulled ")]
    assert len(pulls) == len(pulled)
    assert sorted(pulls) == sorted(_told(line, pulled) for line in pulls)


def assert_start_agrees(lines: Sequence[str], started: Sequence[Thing]) -> None:
    """Assert that the line about the sidecar's start, if there is one, has the figure of the record."""
    took = [each["to"] - each["from"] for each in started if each["container"] == "dind"]
    told = [re.fullmatch(r"The dind sidecar started in ([\d.]+) s\.", line) for line in lines]
    said = [float(each[1]) for each in told if each]
    # both ends of a bar are rounded
    assert len(said) == len(took)
    assert all(abs(one - two) <= 0.06 for one, two in zip(said, took, strict=True))


def _told(line: str, pulled: Sequence[Thing]) -> str:
    image = line.split()[1]
    (found,) = (each for each in pulled if image.endswith(each["image"]))
    size = size_text(found["bytes"]) if found["bytes"] else "nothing new"
    told = re.fullmatch(r"Pulled \S+ in ([\d.]+) s \(.*\)\.", line)
    assert told, line
    # both ends of a bar are rounded
    assert abs(float(told[1]) - (found["to"] - found["from"])) <= 0.06
    return f"Pulled {image} in {told[1]} s ({size})."


def answered_seconds(witness: Witness, job: JobCalls) -> float:
    """Return how long after its start the sidecar's daemon served, by the engine's log of it."""
    sidecar = witness.container(job.id, "dind")
    log = sidecar.logs(timestamps=True).decode()
    served = next(line for line in log.splitlines() if "API listen on" in line).partition(" ")[0]
    began, at = moment(sidecar.attrs["State"]["StartedAt"]), moment(served)
    assert began is not None
    assert at is not None
    return at - began
