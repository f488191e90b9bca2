"""What people and programs read of a fleet."""

import json

from executor.commands.fleet.ending import Ended
from executor.commands.fleet.ghosts import Ghost
from executor.commands.fleet.report import (
    as_json,
    as_table,
    event,
    exit_code,
    failure_line,
    ghost_line,
    ghosts_sum,
    readable,
    retried_line,
    stale_lines,
)
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.fleet.rules import Finding
from executor.commands.fleet.stale import Deleted

RUNNER = Runner(7, "build\x1ber glpat-abcdefghij0123456789", managers=(Manager("s_1"),))
FLEET = Fleet((RUNNER, Runner(8)), "19.3.0")
FINDING = Finding("old-version", RUNNER, "gitlab-runner 1.0", "upgrade it", "s_1")
FAILED = FLEET._replace(failures=("Runner 9: GitLab does not answer.",))


def test_people_read_lines() -> None:
    """Where, what, what to do, and how much there is."""
    first, second, last = as_table([FINDING], FLEET)

    assert first.startswith("old-version  runner 7 (build?er ")
    assert first.endswith(", host s_1  gitlab-runner 1.0")
    assert second.strip() == "→ upgrade it"
    assert last == "2 runners with 1 host: 1 finding."


def test_nothing_and_failures_are_said() -> None:
    """A fleet of which a part was read is not called well without a word on the rest."""
    assert list(as_table([], FLEET)) == ["2 runners with 1 host: nothing is wrong."]
    assert list(as_table([], FAILED)) == [
        "Runner 9: GitLab does not answer.",
        "2 runners with 1 host: nothing is wrong. 1 runner could not be read.",
    ]


def test_programs_read_objects() -> None:
    """A line for each finding and failure, and one for the whole."""
    finding, failure, whole = map(json.loads, as_json([FINDING], FAILED))

    assert finding["kind"] == "finding"
    assert (finding["rule"], finding["runner"]) == ("old-version", 7)
    assert finding["system_id"] == "s_1"
    assert failure == {"kind": "failure", "failure": "Runner 9: GitLab does not answer."}
    assert (whole["runners"], whole["managers"], whole["findings"]) == (2, 1, 1)


def test_exit_codes() -> None:
    """What could not be read counts more than what was found."""
    assert exit_code([], FLEET) == 0
    assert exit_code([FINDING], FLEET) == 1
    assert exit_code([FINDING], FAILED) == 3


def test_names_may_be_anything() -> None:
    """No control character and no token reaches a terminal."""
    assert "abcdefghij" not in readable(RUNNER.description)
    assert readable("a\nb").isprintable()


def test_what_became_of_a_host() -> None:
    """A sentence, or an object with the jobs."""
    assert event("left", "t", "Waiting\x1b.", ["1"], json_lines=False) == "Waiting?."
    assert json.loads(event("left", "t", "Waiting.", ["1"], json_lines=True)) == {
        "kind": "event",
        "state": "left",
        "target": "t",
        "text": "Waiting.",
        "jobs": ["1"],
    }


def test_what_became_of_stale_runners() -> None:
    """Each with a word; what would be deleted is not deleted."""
    a, b, c = Runner(1), Runner(2), Runner(3)
    done = Deleted((a,), (b,), ("Runner 3: no.",))

    lines = list(stale_lines([a, b, c], done, FLEET, json_lines=False))

    assert [each.split()[0] for each in lines] == ["deleted", "spared", "failed", "Runner", "3"]
    would = list(stale_lines([a], None, FLEET, json_lines=True))
    assert [json.loads(each)["state"] for each in would] == ["would-delete"]


def test_ghosts() -> None:
    """Which job, where it was, what became of it, and what ends it."""
    ghost = Ghost(5, 3, "https://g/-/jobs/5", RUNNER, RUNNER.managers[0], 1230)
    where = "job 5  runner 7, host s_1, silent for 20 min"

    line = ghost_line(ghost, None, json_lines=False)
    assert line == f"would-end  {where}  https://g/-/jobs/5"
    line = ghost_line(ghost, Ended(5, "retried", 9), json_lines=False)
    assert line == f"retried    {where}, again as job 9  https://g/-/jobs/5"
    told = {"kind": "ghost", "job": 5, "url": "https://g/-/jobs/5", "runner": 7, "again": 9}
    told |= {"state": "retried", "system_id": "s_1", "silent_seconds": 1230}
    assert json.loads(ghost_line(ghost, Ended(5, "retried", 9), json_lines=True)) == told
    assert ghosts_sum([ghost], are_ended=False).startswith("1 job of hosts that do not call. `dind")
    assert ghosts_sum([ghost], are_ended=True) == "1 job of hosts that do not call."


def test_what_an_earlier_call_has_ended() -> None:
    """It is retried by this one; and what GitLab did not do is said."""
    ended = Ended(5, "retried", 9)

    assert retried_line(ended, json_lines=False).endswith("ended before, again as job 9")
    assert json.loads(retried_line(ended, json_lines=True))["again"] == 9
    assert failure_line("No\n.", json_lines=False) == "No?."
    assert json.loads(failure_line("No.", json_lines=True))["failure"] == "No."
