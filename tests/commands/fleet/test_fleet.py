"""500 runners with three hosts each: how often GitLab is asked, over how many connections, and what is found."""

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from tests.gitlab import server
from tests.gitlab.registry import LEGACY, Manager, RunnerRow
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Request

RUNNERS, HOSTS, CLIENTS = 500, 3, 8
READING = RUNNERS // 100 + 2 * RUNNERS + 2
"""The pages of the list, two requests for each runner, GitLab's version, and the token's scopes."""
DAY = 86400.0


def ago(seconds: float) -> str:
    """Return a time as GitLab writes it."""
    return dt.datetime.fromtimestamp(time.time() - seconds, dt.UTC).isoformat()


def first(row: RunnerRow) -> Manager:
    """Return the first host of a runner."""
    return next(iter(row.managers.values()))


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        gitlab.registry.rows.clear()
        for number in range(RUNNERS):
            row = gitlab.registry.add({"run_untagged": False, "tag_list": ("docker",)})
            for host in range(HOSTS):
                name, address = f"s_{number}_{host}", f"10.{number // 250}.{number % 250}.{host}"
                made = Manager(number * HOSTS + host, name, {"version": "19.3.0"}, ago(5), address)
                row.managers[name] = made
        yield gitlab


@pytest.fixture(name="asked")
def _asked(gitlab: GitLab) -> list[str]:
    """What GitLab is asked for, in any order."""
    asked: list[str] = []

    def noting(request: Request) -> None:
        asked.append(f"{request.method} {request.path}")

    gitlab.mood = noting
    return asked


def call(gitlab: GitLab, *args: str) -> int:
    """Run the command on all of the fleet."""
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    return run([*args, "--url", gitlab.url, "--instance"], {"GITLAB_TOKEN": token})


def clone(row: RunnerRow, of: RunnerRow) -> None:
    """Have a host be made of another's image."""
    name = first(of).system_id
    row.managers[name] = Manager(9000, name, {"version": "19.3.0"}, ago(5), "10.9.9.9")


def silent(row: RunnerRow) -> None:
    """Have none of a runner's hosts call."""
    for each in row.managers.values():
        each.contacted_at = ago(3 * 3600)


def busy_and_silent(row: RunnerRow) -> None:
    """Have a host die with a job."""
    first(row).contacted_at, first(row).execution = ago(3 * 3600), "active"


def never_called(row: RunnerRow) -> None:
    """Have a runner that was made and forgotten."""
    row.managers.clear()
    row.created_at = ago(2 * DAY)


def nameless(row: RunnerRow) -> None:
    """Have a script verify a runner's token."""
    row.managers[LEGACY] = Manager(9001, LEGACY, {}, ago(5))


def paused_alone(row: RunnerRow) -> None:
    """Pause a runner whose jobs no other takes."""
    row.paused, row.tag_list = True, ("gpu",)


FAULTS: dict[str, Callable[[RunnerRow], object]] = {
    "open": lambda row: setattr(row, "run_untagged", True),
    "token-expires": lambda row: setattr(row, "token_expires_at", ago(-DAY)),
    "never-contacted": never_called,
    "silent-runner": silent,
    "silent-with-jobs": busy_and_silent,
    "no-system-id": nameless,
    "newer-than-gitlab": lambda row: setattr(first(row), "info", {"version": "19.4.0"}),
    "old-version": lambda row: setattr(first(row), "info", {"version": "19.1.0"}),
    "paused-alone": paused_alone,
}


def test_an_audit_finds_what_is_planted_and_nothing_else(
    gitlab: GitLab, asked: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nine faults in nine runners, and hosts of one image in two more; each is asked about once."""
    rows = list(gitlab.registry.rows.values())
    planted = list(zip(FAULTS, rows[::50], strict=False))
    for rule, row in planted:
        FAULTS[rule](row)
    clone(rows[7], of=rows[8])
    expected = {(rule, row.id) for rule, row in planted}
    expected |= {("duplicate-system-id", row.id) for row in rows[7:9]}

    assert call(gitlab, "audit") == 1

    *findings, summary = map(json.loads, capfd.readouterr().out.splitlines())
    assert len(planted) == len(FAULTS)
    assert {(each["rule"], each["runner"]) for each in findings} == expected
    assert len(findings) == len(expected)
    assert (summary["runners"], summary["failures"]) == (RUNNERS, 0)
    assert summary["managers"] == RUNNERS * HOSTS - HOSTS + 2
    assert len(asked) == READING
    assert Counter(asked)[f"GET /api/v4/runners/{rows[-1].id}/managers"] == 1
    assert gitlab.connections is not None
    assert gitlab.connections.most_open <= CLIENTS


def test_reconcile_asks_about_silent_hosts_alone(
    gitlab: GitLab, asked: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Five hosts are silent, and two of them had a job; a job of a host that calls is none."""
    rows = list(gitlab.registry.rows.values())
    gone = [first(row) for row in rows[::100]]
    for host in gone:
        host.contacted_at = ago(3600)
    hosts = [gone[0], gone[1], first(rows[1])]
    for number, host in enumerate(hosts, 1):
        host.execution = "active"
        job = gitlab.enqueue(payload(gitlab.url, id=number))
        gitlab.take(job, host.system_id)
        job.started_at = ago(4000)

    assert call(gitlab, "reconcile") == 1

    ghosts = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    found = [(each["job"], each["system_id"]) for each in ghosts]
    assert found == [(1, gone[0].system_id), (2, gone[1].system_id)]
    # Each silent host's jobs that run and that are cancelled; each job that is listed, and again the
    # runner and the hosts of those that have some.
    assert len(asked) == READING + 2 * len(gone) + 2 + 2 * 2
    assert gitlab.connections is not None
    assert gitlab.connections.most_open <= CLIENTS


def test_stale_deletes_what_is_silent_and_spares_what_calls_meanwhile(
    gitlab: GitLab, asked: list[str], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of 51 runners, each is read again before it goes; one that polled in between stays."""
    rows = list(gitlab.registry.rows.values())
    old = rows[:: RUNNERS // 50]
    for row in (*old, rows[1]):
        for each in row.managers.values():
            each.contacted_at = ago(40 * DAY)
    log = tmp_path / "log"
    assert call(gitlab, "stale", "--yes", "--max-share", "10%", f"--audit-log={log}") == 1
    assert "51 of 500 runners are silent" in capfd.readouterr().err
    assert not any(each.startswith("DELETE") for each in asked)
    asked.clear()

    def polling(request: Request) -> None:
        if request.method == "DELETE" and request.path.endswith(f"/{old[0].id}"):
            first(rows[1]).contacted_at = ago(0)
        asked.append(f"{request.method} {request.path}")

    gitlab.mood = polling
    assert call(gitlab, "stale", "--yes", "--limit", "60", f"--audit-log={log}") == 0

    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    states = {each["runner"]: each["state"] for each in lines}
    assert states == {**{row.id: "deleted" for row in old}, rows[1].id: "spared"}
    assert set(gitlab.registry.rows) == {row.id for row in rows} - {row.id for row in old}
    deleted = Counter(each for each in asked if each.startswith("DELETE"))
    assert deleted == {f"DELETE /api/v4/runners/{row.id}": 1 for row in old}
    written = [json.loads(line) for line in log.read_text().splitlines()]
    assert Counter((each["target"], each["state"]) for each in written) == {
        (f"{gitlab.url}/runners/{row.id}", state): 1 for row in old for state in ("begun", "done")
    }
    # Twice for each before its deletion, and twice for the one that was spared.
    assert len(asked) == READING + 3 * len(old) + 2
