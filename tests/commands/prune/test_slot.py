"""The sources that slots of a project keep, removed by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.commands.prune import command
from executor.commands.prune.slot import Slot
from executor.plan.labels import PREFIX
from tests.budgets.shelf import Shelf
from tests.engine.stub import StubEngine, http, refusal

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Arch": "amd64"}
Call = Callable[..., tuple[int, str]]


@pytest.fixture(name="shelf")
def _shelf(stub: StubEngine) -> Shelf:
    """Sources and caches of two projects, in two slots."""
    stub.on("GET", "/version", http(200, VERSION))
    shelf = Shelf(stub)
    for project in (7, 77):
        for slot in (0, 1):
            for destination in ("/builds", "/cache"):
                labels = {
                    "dind-executor.type": "cache",
                    f"{PREFIX}.reusable": "true",
                    f"{PREFIX}.destination": destination,
                    f"{PREFIX}.project.id": str(project),
                    f"{PREFIX}.project.runner_id": str(slot),
                }
                shelf.cache(f"p{project}-s{slot}{destination.replace('/', '-')}", labels=labels)
    shelf.cache("p7-of-somebody", labels={f"{PREFIX}.project.id": "7"})
    return shelf


@pytest.fixture(name="call")
def _call(tmp_path: Path, stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> Call:
    """Return what calls the command; its code and output."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[docker]\nhost = "{stub.host}"\n[log]\npath = "{tmp_path}/log"\n'
        f'[sweep]\nstate_dir = "{tmp_path}"\n[budgets]\nvolumes_size = "1"\n'
    )

    def call(*args: str) -> tuple[int, str]:
        code = command.main([f"--settings={settings}", *args])
        return code, capfd.readouterr().out

    return call


def test_they_are_shown(shelf: Shelf, call: Call) -> None:
    """Without --yes nothing goes, and neither budgets nor other projects matter."""
    code, out = call("--project=7", "--slot=0")

    assert code == 1
    assert "p7-s0-builds" in out
    assert "1 thing is removed with --yes." in out
    assert out.count("p7") == 1
    assert "p77" not in out
    assert shelf.removed() == []
    assert len(shelf.stub.asked("GET", "/volumes")) == 1


def test_they_are_removed(shelf: Shelf, call: Call, tmp_path: Path) -> None:
    """Caches stay, and so does what others call by the project's label."""
    assert call("--project=7", "--slot=1", "--yes")[0] == 0
    assert shelf.removed() == ["p7-s1-builds"]

    assert call("--project=7", "--yes")[0] == 0
    assert shelf.removed() == ["p7-s1-builds", "p7-s0-builds"]

    code, out = call("--project=7", "--yes")
    assert (code, out) == (0, "No sources or layers are kept of project 7 in volumes.\n")
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["name"] for each in logged if each["event"] == "pruned"] == [
        "p7-s1-builds",
        "p7-s0-builds",
    ]


def test_layers_go_with_the_sources(shelf: Shelf, call: Call) -> None:
    """Of the slot that is named, protected or not."""
    for slot in (0, 1):
        labels = {
            "dind-executor.type": "layers",
            f"{PREFIX}.reusable": "true",
            f"{PREFIX}.project.id": "7",
            f"{PREFIX}.project.runner_id": str(slot),
        }
        shelf.cache(f"p7-s{slot}-layers", labels=labels)

    assert call("--project=7", "--slot=0", "--yes")[0] == 0

    assert sorted(shelf.removed()) == ["p7-s0-builds", "p7-s0-layers"]


@pytest.mark.usefixtures("shelf")
def test_directories_of_the_host_are_named(call: Call, tmp_path: Path) -> None:
    """Nobody takes it for all that is kept what volumes have."""
    settings = tmp_path / "settings.toml"
    text = settings.read_text().replace("[docker]", '[docker]\ncache_dir = "/srv/caches"')
    settings.write_text(text)

    assert (
        "Sources in /srv/caches on the Docker Engine's host are not shown" in call("--project=9")[1]
    )
    _, out = call("--project=9", "--json")
    assert len(json.loads(out)["remarks"]) == 2


def test_what_a_container_has_stays(shelf: Shelf, call: Call) -> None:
    """Whoever calls this sees why."""
    shelf.container("p7-s0-builds", state="exited")

    code, out = call("--project=7", "--slot=0", "--yes", "--json")

    row, whole = map(json.loads, out.splitlines())
    assert (code, row["verdict"], row["reason"], whole["left"]) == (1, "keep", "in-use", 0)
    assert shelf.removed() == []


def test_what_cannot_be_removed_is_left(shelf: Shelf, call: Call, tmp_path: Path) -> None:
    """The administrator's log says so too."""
    shelf.stub.on("DELETE", "/volumes/", refusal(409, "volume is in use"))

    assert call("--project=7", "--slot=0", "--yes")[0] == 1

    *_, last = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert last["outcome"] == "something is left"


def test_a_slot_alone_says_nothing(call: Call, capfd: pytest.CaptureFixture[str]) -> None:
    """Slots are numbered within each project."""
    with pytest.raises(SystemExit) as caught:
        call("--slot=0", "--yes")

    assert caught.value.code == 2
    assert "--slot needs --project" in capfd.readouterr().err


@pytest.mark.parametrize("labels", [None, [], {}, {f"{PREFIX}.project.id": 7}])
def test_volumes_without_such_labels_are_nobodys(labels: object) -> None:
    """A label that is no text names no project."""
    assert list(Slot(7, None).keeps([{"Name": "x", "Labels": labels}])) == []
