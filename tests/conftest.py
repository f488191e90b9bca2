"""What several tests need: the rig, which must be up for those that use it, and a stub engine."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_mock import MockerFixture

from tests.engine.stub import (
    CREATED,
    UPGRADED,
    StubEngine,
    endless,
    frame,
    http,
    stub_engine,
    trickling,
)
from tests.hooks import Runner
from tests.rig.state import Rig, load
from tests.stages.request import KEPT_LAYERS

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

LONG = (
    "stages/test_killed_stages.py",
    "stages/test_misbehaving_entrypoints.py",
    "stages/test_engine_faults.py",
    "gitlab/test_container.py",
    "gitlab/test_parity.py",
    "gitlab/test_soak.py",
    "stages/test_cleanup.py",
    "stages/test_out_of_reach.py",
    "stages/test_slow_engine.py",
    "stages/test_entrypoints.py",
    "gitlab/test_graceful_stop.py",
    "gitlab/test_caches.py",
    "gitlab/test_deployments.py",
    "gitlab/test_broken_slots.py",
)
"""The files with the longest tests.  They run first: begun last, one of them holds up the end."""


SIDECARS = (
    "broken_sidecars",
    "builds_behind_proxies",
    "containerd",
    "dind_programs",
    "docker_names",
    "environment",
    "logins",
    "lost_sidecars",
    "mounted_places",
    "networks",
    "proxies",
    "reach",
    "secrets",
    "sidecar",
    "unasked_sidecars",
)
"""The files of tests/stages, without `test_`, that are marked `sidecar`: their jobs use one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--whole`, and how to run the tests that use a sidecar once more."""
    parser.addoption("--whole", action="store_true", help="run every case of long families, too")
    parser.addoption(
        "--kept-layers", action="store_true", help="run jobs with `[dind] keep_layers`"
    )
    parser.addoption("--share", type=int, default=1, metavar="N", help="run each Nth test only")


def pytest_configure(config: pytest.Config) -> None:
    """Let jobs of tests know whether they keep layers."""
    if config.getoption("kept_layers"):
        os.environ[KEPT_LAYERS] = "yes"


def pytest_report_header(config: pytest.Config) -> str:
    """Say which share of the long families runs."""
    if config.getoption("whole"):
        return "long families of cases: all of them"
    return "long families of cases: each second or so, as marked (all of them: --whole)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, in this order, and leave the others as they are.

    Of a test that is marked `family(n)`, each nth case runs, unless all are asked for.
    """
    directory = Path(__file__).parent
    sidecars = {directory / f"stages/test_{each}.py" for each in SIDECARS}
    for item in items:
        if item.path in sidecars:
            item.add_marker("sidecar")
    ranks = {directory / each: rank for rank, each in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONG)))
    if config.getoption("whole"):
        return
    seen: Counter[str] = Counter()
    left: list[pytest.Item] = []
    for item in items:
        family = item.get_closest_marker("family")
        name = item.nodeid.partition("[")[0]
        seen[name] += 1
        if family and (seen[name] - 1) % family.args[0]:
            left.append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        gone = set(left)
        items[:] = [each for each in items if each not in gone]


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_share(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave each Nth of what is left when the markers have chosen."""
    share = config.getoption("share")
    if share > 1:
        left = [each for number, each in enumerate(items) if number % share]
        config.hook.pytest_deselected(items=left)
        items[:] = items[::share]


@pytest.fixture(scope="session")
def rig() -> Rig:
    """Return the rig; a test that needs it fails without it, and says how to bring it up."""
    return load()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine that answers what the test tells it to."""
    with stub_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Return gitlab-runner with one job, which calls the hooks."""
    return Runner(tmp_path)


@pytest.fixture(params=["fast", "slow"])
def endless_program(request: pytest.FixtureRequest, stub: StubEngine) -> None:
    """Have an exec print for ever: as fast as it can, or a byte now and then."""
    fast = endless(UPGRADED, frame(1, b"y\n" * 16000))
    answer = fast if request.param == "fast" else trickling(UPGRADED, b"y")
    stub.on("GET", "/containers/job-build/json", http(200, {}))
    stub.on("POST", "/containers/job-.*/exec", CREATED)
    stub.on("POST", "/exec/the-exec/start", answer)
    stub.on("GET", "/exec/the-exec/json", http(200, {"Running": True, "ExitCode": None}))


@pytest.fixture
def archives(tmp_path: Path, mocker: MockerFixture) -> Path:
    """Return the directory of archives beside a gitlab-runner that is said to be our parent."""
    directory = tmp_path / "usr/lib/gitlab-runner/helper-images"
    directory.mkdir(parents=True)
    program = tmp_path / "usr/bin/gitlab-runner"
    mocker.patch("executor.host.helper_archive._runner", return_value=program)
    return directory
