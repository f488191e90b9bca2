"""Which sources a job gets that finds some again."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from executor.host.sources import recall, record_name, remember
from executor.notation.sources import SourcesRecord
from executor.plan.inputs import Inputs
from executor.plan.volumes import job_volumes
from executor.runner.sources_note import SourcesNote, read_note
from executor.stages.prepare.sources import choose_sources
from tests.builders import fetching, some_inputs
from tests.engine.stub import StubEngine, http, refusal

VOLUMES = "/volumes/"
DUE = SourcesRecord(failures=2)


def keeping(directory: Path, settings: str = "", **values: str) -> Inputs:
    """Return the inputs of a job that fetches, whose settings name a directory for records."""
    return fetching(f'sweep.state_dir = "{directory}"\n{settings}', values=values)


def record_of(inputs: Inputs) -> str:
    """Return the name of the slot's record."""
    return record_name("unix:///engine", job_volumes(replace(inputs, generation=0)).builds.first)


def leave(inputs: Inputs, record: SourcesRecord) -> None:
    """Leave what earlier jobs of the slot came to."""
    assert remember(inputs.settings.sweep.state_dir, record_of(inputs), record)


def recalled(inputs: Inputs) -> SourcesRecord:
    return recall(inputs.settings.sweep.state_dir, record_of(inputs))


def choose(stub: StubEngine, inputs: Inputs) -> tuple[Inputs, SourcesNote | None]:
    """Return the inputs of the job, and what later calls read."""
    with tempfile.TemporaryDirectory() as directory:
        chosen = choose_sources(stub.engine(), inputs, "unix:///engine", directory)
        return chosen, read_note(directory)


def test_an_ordinary_job_asks_nobody(stub: StubEngine, tmp_path: Path) -> None:
    """It gets the sources that it always had, and later calls know which."""
    inputs = keeping(tmp_path)

    chosen, note = choose(stub, inputs)

    assert chosen is inputs
    assert note
    assert (note.generation, note.is_trial, note.is_volume) == (0, False, True)
    assert (note.first, note.timeout_seconds) == (inputs.volumes.builds.source, 3600)
    assert stub.received == []
    assert list(tmp_path.glob("sources-*")) == []


@pytest.mark.parametrize("inputs", [some_inputs(), fetching("docker.disable_cache = true")])
def test_a_job_whose_sources_go_with_it(stub: StubEngine, inputs: Inputs) -> None:
    """There is nothing to remember."""
    assert choose(stub, inputs) == (inputs, None)


def test_fresh_sources_after_failures(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The volume is empty, nothing of the old one changes, and the job log says so."""
    inputs = keeping(tmp_path)
    leave(inputs, DUE)
    stub.on("DELETE", VOLUMES, refusal(404, "no such volume"))

    chosen, note = choose(stub, inputs)

    first = inputs.volumes.builds.source
    assert chosen.volumes.builds.source == f"{first}-2"
    assert chosen.volumes.builds.volume
    assert inputs.volumes.builds.volume
    assert chosen.volumes.builds.volume.labels == inputs.volumes.builds.volume.labels
    assert note
    assert note.is_trial
    assert [each.path.rpartition("/")[2] for each in stub.received] == [f"{first}-2"]
    # Whatever becomes of this job, the fresh volume goes unless it has cloned into it.
    assert recalled(inputs) == DUE._replace(old=(1,))
    assert "This job clones into a fresh volume." in capfd.readouterr().out


def test_a_fresh_volume_that_is_not_empty_is_another_one(stub: StubEngine, tmp_path: Path) -> None:
    """A volume of the name may be left, and in use, where the record was lost in between."""
    inputs = keeping(tmp_path)
    leave(inputs, DUE)
    stub.on("DELETE", VOLUMES, refusal(409, "volume is in use"), http(204))

    chosen, _ = choose(stub, inputs)

    assert chosen.volumes.builds.source.endswith("-3")
    assert recalled(inputs).old == (1, 2)


def test_old_volumes_that_cannot_be_removed(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sources stay as they are, and the administrator reads what to remove."""
    inputs = keeping(tmp_path)
    leave(inputs, DUE._replace(old=(1, 2, 3, 4)))
    stub.on("DELETE", VOLUMES, refusal(409, "volume is in use"))

    chosen, note = choose(stub, inputs)

    assert chosen.generation == 0
    assert note
    assert not note.is_trial
    out = capfd.readouterr().out
    assert all(f"-{each}" in out for each in (2, 3, 4, 5, 6))


def test_a_trial_that_cannot_be_remembered(stub: StubEngine, tmp_path: Path) -> None:
    """Nobody would remove its volume, so there is none."""
    inputs = keeping(tmp_path)
    leave(inputs, DUE)
    stub.on("DELETE", VOLUMES, refusal(404, "no such volume"))
    (tmp_path / f"{record_of(inputs)}.new").mkdir()

    chosen, note = choose(stub, inputs)

    assert chosen.generation == 0
    assert note
    assert not note.is_trial


def test_a_job_that_fetches_nothing_proves_nothing(stub: StubEngine, tmp_path: Path) -> None:
    """It has the slot's sources, where the settings keep them for it, and no fresh ones."""
    settings = 'docker.volumes = ["/builds"]'
    inputs = keeping(tmp_path, settings, GIT_STRATEGY="none")
    leave(inputs, SourcesRecord(3, failures=2))

    chosen, note = choose(stub, inputs)

    assert chosen.volumes.builds.source.endswith("-4")
    assert note is None
    assert stub.received == []


def test_directories_of_the_host(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fresh directory has a name of its own; the engine removes none."""
    inputs = keeping(tmp_path, 'docker.cache_dir = "/srv/caches"')
    leave(inputs, DUE)

    chosen, note = choose(stub, inputs)

    assert chosen.volumes.builds.source == f"{inputs.volumes.builds.source}-2"
    assert note
    assert not note.is_volume
    assert stub.received == []
    assert "fresh directory" in capfd.readouterr().out


def test_old_directories_that_nobody_removes(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever removes them has to remove the record too: it still names them."""
    inputs = keeping(tmp_path, 'docker.cache_dir = "/srv/caches"')
    leave(inputs, DUE._replace(old=(1, 2, 3, 4, 5)))

    chosen, _ = choose(stub, inputs)

    assert chosen.generation == 0
    assert f"Remove these, and {tmp_path}/{record_of(inputs)} on" in capfd.readouterr().out
