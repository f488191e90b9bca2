"""A keeper under each of three shells."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keeping import Kept, Start, namespaces_work, shell_directory

SHELLS = ("bash", "dash", "busybox")


@pytest.fixture(params=SHELLS)
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a PATH for one of the shells."""
    if not namespaces_work():
        pytest.skip("this user may not make a PID namespace: run as root")
    return shell_directory(tmp_path, request.param)


@pytest.fixture
def start(programs: Path, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a keeper."""
    started: list[Kept] = []

    def begin(**given: object) -> Kept:
        started.append(Kept(tmp_path, programs, **given))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for each in started:
        each.close()
