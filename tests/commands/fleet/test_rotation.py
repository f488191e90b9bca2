"""Who works for a runner whose token is to be another, and whether this host calls with it."""

from pathlib import Path

import pytest

from executor.commands.fleet.entry import Entry
from executor.commands.fleet.host import HostFailed
from executor.commands.fleet.rotation import Rotation
from executor.commands.gitlab.client import Client
from executor.commands.register.config_file import ConfigFile
from tests.gitlab.registry import LEGACY, Manager, RunnerRow
from tests.gitlab.server import GitLab

OLD_CALL = "2020-01-01T00:00:00Z"


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    return gitlab.registry.add({})


@pytest.fixture(name="rotation")
def _rotation(gitlab: GitLab, row: RunnerRow, tmp_path: Path) -> Rotation:
    client = Client(gitlab.url, gitlab.registry.add_user({"manage_runner"}), sleep=lambda _: None)
    entry = Entry("one", gitlab.url, row.token, "s_1")
    return Rotation(client, ConfigFile(tmp_path / "config.toml"), entry)


def test_who_calls_with_a_token(gitlab: GitLab, row: RunnerRow, rotation: Rotation) -> None:
    """Hosts that call, or that have jobs; not this one, one that is gone, or a script without a name."""
    now = gitlab.registry.now().isoformat()
    hosts = {"s_1": now, "s_2": now, "s_gone": OLD_CALL, "s_busy": OLD_CALL, LEGACY: now}
    for number, (name, at) in enumerate(hosts.items()):
        row.managers[name] = Manager(number, name, {"version": "17.9.0"}, at)
    row.managers["s_busy"].execution = "active"

    assert rotation.number() == row.id
    assert rotation.known(row.id) == (row.id, ("s_2", "s_busy"))
    del row.managers["s_1"]
    with pytest.raises(HostFailed, match="never called"):
        rotation.known(row.id)


def test_a_call_is_waited_for(row: RunnerRow, rotation: Rotation) -> None:
    """Of this host, since then; not for ever."""
    row.managers["s_1"] = Manager(1, "s_1", {}, OLD_CALL)
    times: list[float] = []

    def sleep(seconds: float) -> None:
        times.append(seconds)
        if len(times) == 2:
            row.managers["s_1"].contacted_at = "2999-01-01T00:00:00Z"

    clock = iter(range(100)).__next__
    since = 2_000_000_000.0
    assert not rotation.has_called(row.id, since, 1.0, clock=clock, sleep=sleep)
    assert rotation.has_called(row.id, since, 50.0, clock=clock, sleep=sleep)
