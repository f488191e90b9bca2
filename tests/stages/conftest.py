"""Jobs on the rig's engine, and the check that none leaves anything behind."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest
from docker.errors import DockerException

from tests import toml
from tests.planning import TURN, compare_recorded, has_turn
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.registry import Images
from tests.stages.request import KEPT_LAYERS, JobRequest, Login
from tests.stages.witness import Witness

Changes = Mapping[str, Mapping[str, object]]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have some of the tests compare what prepare asks for with what `plan` says.

    This comes before fixtures that several tests share, whose jobs are compared too.
    """
    TURN.has_come = has_turn(item.nodeid)


def pytest_runtest_teardown() -> None:
    """Compare nothing beyond the test."""
    TURN.has_come = False


@pytest.fixture(scope="session", autouse=True)
def notes(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have a place for what prepare notes."""
    TURN.directory = tmp_path_factory.mktemp("notes")


@pytest.fixture(autouse=True)
def recorded() -> Iterator[None]:
    """Compare what else has called prepare in the test, where each call is noted."""
    yield
    compare_recorded()


class Start(Protocol):
    """Makes a job whose environment is removed at the end of the test."""

    def __call__(self, request: JobRequest, changes: Changes | None = None) -> JobCalls: ...


class Jobs:
    """The jobs of one test or module."""

    def __init__(self, rig: Rig, witness: Witness, directory: Path) -> None:
        self._rig = rig
        self._witness = witness
        self._directory = directory
        self._all: list[JobCalls] = []

    def start(self, request: JobRequest, changes: Changes | None = None) -> JobCalls:
        """Return a job on settings of its own: the rig's with some changes."""
        directory = self._directory / str(request.id)
        directory.mkdir()
        log: Changes = {"log": {"path": str(directory / "operator.log")}}
        kept: Changes = {"dind": {"keep_layers": True}} if KEPT_LAYERS in os.environ else {}
        text = settings_text(self._rig, log, kept, changes or {})
        settings = directory / "settings.toml"
        settings.write_text(text, encoding="utf-8")
        job = JobCalls(request, directory, settings)
        self._all.append(job)
        return job

    def end(self) -> None:
        """Clean up what the tests left to us, and assert that nothing is left of any job.

        What lasts beyond a job goes with the tests, if they gave their jobs a project of its own.
        """
        projects = {job.request.project_id for job in self._all} - {JobRequest().project_id}
        lasting = {name for each in projects for name in self._witness.lasting_volumes(each)}
        mounted = {name for job in self._all for name in self._witness.volumes(job.id)}
        volumes = sorted(mounted - lasting - set(self._witness.layers()))
        failed = []
        for job in self._all:
            if self._witness.objects(job.id):
                call = job.cleanup()
                failed += [] if call.code == 0 else [call.output]
        left = [each for job in self._all for each in self._witness.objects(job.id)]
        left += [f"volume {name}" for name in volumes if self._witness.has_volume(name)]
        for name in sorted(lasting):
            self._witness.remove_volume(name)
        assert (failed, left) == ([], [])


def settings_text(rig: Rig, *changes: Changes) -> str:
    """Return the rig's settings with changes, as TOML."""
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    for change in changes:
        for name, keys in change.items():
            tables[name] = {**tables.get(name, {}), **keys}
    return toml.dumps(tables)


@pytest.fixture(scope="session")
def witness(rig: Rig) -> Iterator[Witness]:
    """Return a witness of the rig's engine."""
    witness = Witness(rig.engine_host)
    yield witness
    if KEPT_LAYERS in os.environ:
        for each in witness.layers():
            with suppress(DockerException):  # a test beside this one uses them
                witness.remove_volume(each)
    witness.close()


@pytest.fixture(scope="session")
def images(witness: Witness) -> Iterator[Images]:
    """Return what makes images; those of a whole run go at its end, when no job uses them."""
    images = Images(witness)
    yield images
    images.remove_all()


@pytest.fixture(autouse=True)
def start(rig: Rig, witness: Witness, tmp_path: Path) -> Iterator[Start]:
    """Return what makes a job; after the test, nothing may be left of those that it made."""
    jobs = Jobs(rig, witness, tmp_path)
    yield jobs.start
    jobs.end()


@pytest.fixture(scope="module")
def start_standing(
    rig: Rig, witness: Witness, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Return what makes a job that all tests of a module share, as promises that do not meet."""
    jobs = Jobs(rig, witness, tmp_path_factory.mktemp("standing"))
    yield jobs.start
    jobs.end()


@pytest.fixture(scope="session")
def login(rig: Rig) -> Login:
    """Return the login that GitLab hands out for its registry."""
    return Login(rig.gitlab, rig.ci_user.name, rig.ci_user.password)
