"""The containers of a plan, started at a stub."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from pytest_mock import MockerFixture

from executor.budgets.records import Records
from executor.errors import EngineRefused, EngineUnavailable, ExecutorError, UnusableImage
from executor.log import AdministratorLog
from executor.plan.credentials import Catalogue
from executor.plan.images import plan_images
from executor.runner import notes
from executor.spec import ContainerSpec, NetworkSpec, Plan
from executor.stages.prepare import containers
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.containers import Containers
from executor.stages.prepare.images import Pulls
from executor.stages.prepare.layers import KeptLayers
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.steps import Steps
from executor.tasks import Task
from tests.builders import some_inputs
from tests.engine.stub import UPGRADED, StubEngine, events, http, refusal

INPUTS = some_inputs(settings='docker.certs_d = "/nowhere"')


def a_container(name: str) -> ContainerSpec:
    """Return a container that is sent nothing, so that it has started when the engine says so."""
    return ContainerSpec(name, "alpine:latest", {}, "net")


PLAN = Plan(
    NetworkSpec("net", {}),
    (),
    a_container("job-helper"),
    a_container("job-build"),
    a_container("job-dind"),
    (a_container("job-service-0"),),
)


@pytest.fixture
def engine(stub: StubEngine) -> StubEngine:
    """Return an engine that does what it is asked."""
    stub.on("GET", "/info", http(200, {"ServerVersion": "27.0.0"}))
    stub.on("GET", "/networks", http(200, []))
    stub.on("GET", "/networks/", http(200, {"Name": INPUTS.names.network}))
    stub.on("POST", "/networks/create", http(201, {"Id": "n"}))
    stub.on("POST", "/images/create", events({"status": "Digest: sha256:d"}))
    stub.on("GET", "/images/.*/json", http(200, {"Id": "sha256:i", "Config": {}}))
    stub.on("POST", "/containers/create", http(201, {"Id": "c"}))
    stub.on("POST", "/containers/.*/start", http(204))
    stub.on("GET", "/containers/.*/json", http(200, {"State": {"Running": True}}))
    return stub


def start_all(stub: StubEngine, plan: Plan, directory: Path) -> None:
    """Start everything, without waiting for services."""
    steps = Steps(AdministratorLog("prepare"))
    engine = stub.engine()
    pulls = Pulls(engine, Catalogue(), steps.log, lambda _text: None, Records("", ""))
    network = JobNetwork(engine, INPUTS, steps, lambda: "")
    volumes: Task[None] = Task(lambda: None)
    claims = Claims(engine, INPUTS, plan_images(INPUTS), steps)
    layers = KeptLayers(
        engine, INPUTS, claims, steps, Records("", ""), str(directory), lambda _name: None
    )
    Containers(engine, steps, pulls, network, volumes, layers, str(directory)).start_all(
        plan, -1, lambda: None
    )


def started(stub: StubEngine) -> list[str]:
    """Return which containers were started, in order."""
    return [each.path.split("/")[-2] for each in stub.asked("POST", "/containers/.*/start")]


def test_every_container_of_the_plan_starts(engine: StubEngine, tmp_path: Path) -> None:
    """Each is created once, from the id of what was pulled, and its image is pulled once."""
    start_all(engine, PLAN, tmp_path)

    names = ["job-build", "job-dind", "job-helper", "job-service-0"]
    assert sorted(started(engine)) == names
    created = engine.asked("POST", "/containers/create")
    assert sorted(unquote(each.path).partition("name=")[2] for each in created) == names
    assert {each.json()["Image"] for each in created} == {"sha256:i"}
    assert len(engine.asked("POST", "/images/create")) == 1


class AtOnce(Task[None]):
    """A task that is done when the next one begins."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__(function)
        self.result()


def test_the_sidecar_goes_first(engine: StubEngine, tmp_path: Path, mocker: MockerFixture) -> None:
    """It takes the longest until it is of use."""
    mocker.patch.object(containers, "Task", AtOnce)

    start_all(engine, PLAN, tmp_path)

    assert started(engine)[0] == "job-dind"


def test_a_service_waits_for_the_helper_that_opens_the_caches(
    engine: StubEngine, tmp_path: Path
) -> None:
    """A service may run as a user who cannot write to a fresh volume before."""
    start_all(engine, replace(PLAN, has_caches=True), tmp_path)

    order = started(engine)
    assert order.index("job-helper") < order.index("job-service-0")


def test_the_first_error_is_raised(engine: StubEngine, tmp_path: Path) -> None:
    """A container that the engine refuses ends prepare with the engine's words."""
    engine.on("POST", "/containers/create.*job-dind", refusal(500, "no such runtime"))

    with pytest.raises(EngineRefused, match="no such runtime"):
        start_all(engine, PLAN, tmp_path)


def test_a_job_without_a_sidecar(engine: StubEngine, tmp_path: Path) -> None:
    """Only the helper and the build container start where the plan has nothing else."""
    start_all(engine, replace(PLAN, dind=None, services=()), tmp_path)

    assert sorted(started(engine)) == ["job-build", "job-helper"]


REFUSALS = {
    "no image": ("/images/create.*dind", refusal(404, "manifest unknown")),
    "a registry that is down": ("/images/create.*dind", refusal(500, "toomanyrequests")),
    "a full disk": ("/images/create.*dind", refusal(500, "no space left on device")),
    "a runtime": ("/containers/create.*job-dind", refusal(500, "no such runtime")),
    "a mount": ("/containers/create.*job-dind", refusal(400, "invalid mount config")),
    "its program": (
        "/containers/job-dind/start",
        refusal(400, 'exec: "dockerd": executable file not found in $PATH'),
    ),
}


@pytest.mark.parametrize(("path", "answer"), REFUSALS.values(), ids=REFUSALS)
def test_a_sidecar_that_nobody_asked_for(
    engine: StubEngine,
    tmp_path: Path,
    mocker: MockerFixture,
    capfd: pytest.CaptureFixture[str],
    path: str,
    answer: bytes,
) -> None:
    """The job runs without it, its log says why, and nothing is left that a script waits for."""
    mocker.patch("executor.engine.images.time.sleep")
    engine.on("POST", path, answer)
    assert PLAN.dind
    dind = replace(PLAN.dind, image="docker:29-dind")
    plan = replace(PLAN, dind=dind, dind_is_optional=True)

    start_all(engine, plan, tmp_path)

    assert {"job-build", "job-helper", "job-service-0"} <= set(started(engine))
    assert len(engine.asked("DELETE", "/containers/job-dind")) == 1
    assert capfd.readouterr().err.startswith("WARNING: `docker` is not available in this job,")
    # Where the engine has not removed it, no script fails for what is left of it.
    assert notes.is_left(str(tmp_path), notes.OPTIONAL_DIND)
    with pytest.raises(ExecutorError):
        start_all(engine, replace(plan, dind_is_optional=False), tmp_path)


def test_a_sidecar_that_nobody_asked_for_and_that_starts(
    engine: StubEngine, tmp_path: Path
) -> None:
    """`run` is told that the job may do without it, and the engine is asked nothing more."""
    start_all(engine, PLAN, tmp_path)
    before = [len(engine.asked(each, "/containers/")) for each in ("POST", "DELETE")]
    assert not notes.is_left(str(tmp_path), notes.OPTIONAL_DIND)

    start_all(engine, replace(PLAN, dind_is_optional=True), tmp_path)

    assert notes.is_left(str(tmp_path), notes.OPTIONAL_DIND)
    after = [len(engine.asked(each, "/containers/")) for each in ("POST", "DELETE")]
    assert after == [2 * each for each in before]


def test_an_engine_that_is_gone_fails_the_job(engine: StubEngine, tmp_path: Path) -> None:
    """Whoever asked for what."""
    engine.on("POST", "/containers/create.*job-dind", b"")

    with pytest.raises(EngineUnavailable):
        start_all(engine, replace(PLAN, dind_is_optional=True), tmp_path)


NO_SH = refusal(400, 'unable to start container process: exec: "sh": executable file not found')
SECRETS = replace(
    a_container("job-service-0"), secret_environment={"URL": "hunter2"}, dispensable=("URL",)
)


def test_a_service_without_a_shell_starts_without_the_jobs_secrets(
    engine: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is made anew, with nothing in front of its program, and the job log says so."""
    engine.on("POST", "/containers/job-service-0/attach", UPGRADED)
    engine.on("POST", "/containers/job-service-0/start", NO_SH, http(204))

    start_all(engine, replace(PLAN, dind=None, services=(SECRETS,)), tmp_path)

    requests = [each.json() for each in engine.asked("POST", "/containers/create.*job-service-0")]
    assert ["OpenStdin" in each for each in requests] == [True, False]
    assert 'The service "alpine:latest" does not get the variable URL' in capfd.readouterr().out


@pytest.mark.parametrize("needs", [("URL",), ()])
def test_a_service_that_needs_a_shell_does_not_start_without(
    engine: StubEngine, tmp_path: Path, needs: tuple[str, ...]
) -> None:
    """Its own secret needs one, or what it runs."""
    engine.on("POST", "/containers/job-service-0/attach", UPGRADED)
    engine.on("POST", "/containers/job-service-0/start", NO_SH)
    spec = replace(SECRETS, dispensable=()) if needs else a_container("job-service-0")

    with pytest.raises(UnusableImage, match="has no `sh`"):
        start_all(engine, replace(PLAN, dind=None, services=(spec,)), tmp_path)

    assert len(engine.asked("POST", "/containers/create.*job-service-0")) == 1
