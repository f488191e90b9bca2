"""A sidecar on kept layers; `tests/stages/test_kept_layers.py` has real ones."""

from pathlib import Path

import pytest

from executor.budgets.records import Records
from executor.errors import UnusableImage
from executor.log import AdministratorLog
from executor.names import LABEL
from executor.notation.paths import DATA_ROOT
from executor.plan.images import for_engine, plan_images
from executor.plan.inputs import Inputs
from executor.plan.layers import plan_layers, store_of
from executor.runner import notes
from executor.spec import ContainerSpec, ImageFacts
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.layers import KeptLayers
from executor.stages.prepare.steps import Steps
from tests.builders import some_inputs
from tests.engine.stub import StubEngine, http
from tests.services.sidecars import STARTED, ended

INPUTS = some_inputs(settings="dind.keep_layers = true\ndind.ready_timeout = 1\n")
IMAGE = ImageFacts("sha256:d", environment=("DOCKER_VERSION=26.1.5",))
SPEC = ContainerSpec(INPUTS.names.dind, "i", {}, "n", mounts=(("own", DATA_ROOT),), prelude="x")
ENDED = ended(ExitCode=1)
RUNS = http(200, {"State": {"Running": True, "StartedAt": STARTED}})

LAYERS = plan_layers(INPUTS)
assert LAYERS
STORE = store_of(LAYERS, IMAGE).name
SIDECAR = f"/containers/{INPUTS.names.dind}"


class Case:
    """The layers of a job at a stub, and a sidecar that comes up on them or not."""

    def __init__(self, stub: StubEngine, directory: Path, inputs: Inputs = INPUTS) -> None:
        stub.on("POST", "/volumes/create", http(201, {}))
        stub.on("GET", "/volumes/", http(404, {"message": "no such volume"}))
        stub.on("GET", "/containers/json", http(200, []))
        stub.on("GET", f"{SIDECAR}/logs", http(200, b""))
        stub.on("DELETE", "/", http(204))
        notes.leave(str(directory), notes.ANSWERED, STARTED.encode())
        steps = Steps(AdministratorLog("prepare"))
        images = for_engine(plan_images(inputs), "amd64")
        claims = Claims(stub.engine(), inputs, images, steps)
        records = Records(str(directory), "unix:///engine")
        self.stub = stub
        self.records = records
        self.watched: list[str] = []
        self.ups: list[str] = []
        self.layers = KeptLayers(
            stub.engine(), inputs, claims, steps, records, str(directory), self.watched.append
        )

    def up(self, *answers: bytes) -> None:
        """Start the sidecar; the engine says this of its first start, of its second, and so on."""
        said = iter(answers)

        def up(spec: ContainerSpec) -> None:
            started = self.layers.on_store(spec, IMAGE)
            self.ups.append(next(name for name, place in started.mounts if place == DATA_ROOT))
            self.stub.on("GET", f"{SIDECAR}/json", next(said))

        self.layers.up(SPEC, up)

    def removed(self) -> list[str]:
        """Return what was removed, in order."""
        return [each.path.partition("?")[0] for each in self.stub.asked("DELETE", "/")]


@pytest.fixture(name="case")
def _case(stub: StubEngine, tmp_path: Path) -> Case:
    return Case(stub, tmp_path)


def test_without_the_setting_nothing_is_asked(stub: StubEngine, tmp_path: Path) -> None:
    """The sidecar is as it was, and nobody waits for it."""
    case = Case(stub, tmp_path, some_inputs())

    case.up(ENDED)

    assert case.ups == ["own"]
    assert stub.asked("GET", "/containers") == []
    assert not any("claim" in str(each.json()["Name"]) for each in stub.asked("POST", "/volumes"))


def test_a_sidecar_that_comes_up(case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    """It has the store, which counts as used and as what the job fills."""
    case.up(RUNS)

    assert case.ups == [STORE]
    assert case.watched == [STORE]
    assert list(case.records.known().volumes) == [STORE]
    assert case.removed() == []
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("state", ["running", "exited", "created"])
def test_a_store_that_a_container_has(
    case: Case, capfd: pytest.CaptureFixture[str], state: str
) -> None:
    """Whoever was killed may have left a sidecar that runs, or is about to."""
    listed = {"Id": "1", "State": state, "Labels": {LABEL: "17-ab"}}
    case.stub.on("GET", "/containers/json", http(200, [listed]))

    case.up(ENDED)

    assert case.ups == ["own"]
    assert case.records.known().volumes == {}
    assert "Job 17 is still using the layers of this slot" in capfd.readouterr().out


def test_what_the_job_itself_has_left(case: Case) -> None:
    """Of an earlier attempt of prepare: the engine replaces it."""
    listed = {"Id": "1", "Labels": {LABEL: INPUTS.names.key}}
    case.stub.on("GET", "/containers/json", http(200, [listed]))

    case.up(RUNS)

    assert case.ups == [STORE]


def test_a_store_that_somebody_has_claimed(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A job in preparation has no container yet."""
    case = Case(stub, tmp_path)
    stub.on("POST", "/volumes/create", http(201, {"Labels": {LABEL: "18-cd"}}))
    steps = Steps(AdministratorLog("prepare"))
    images = for_engine(plan_images(INPUTS), "amd64")
    case.layers._claims = Claims(stub.engine(), INPUTS, images, steps)

    case.up(ENDED)

    assert case.ups == ["own"]
    assert "Job 18 is still using" in capfd.readouterr().out


def test_one_that_does_not_come_up_on_its_store(
    case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is tried without, and then the store is known to be bad."""
    case.up(ENDED, RUNS)

    assert case.ups == [STORE, "own"]
    assert [each.rpartition("/")[2] for each in case.removed()] == [INPUTS.names.dind, STORE]
    assert (
        "starts without the layers that this slot has kept: the Docker daemon does not"
        in capfd.readouterr().err
    )


def test_one_that_comes_up_on_nothing(case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    """The store is not to blame; the script that needs the sidecar hears why there is none."""
    case.up(ENDED, ENDED)

    assert case.ups == [STORE, "own"]
    assert [each.rpartition("/")[2] for each in case.removed()] == [INPUTS.names.dind]
    assert capfd.readouterr().err == ""


def test_a_full_disk(case: Case) -> None:
    """The store goes first: without that, no other sidecar would come up."""
    line = b"write /var/lib/docker/x: no space left on device\n"
    frame = b"\2\0\0\0" + len(line).to_bytes(4, "big") + line
    case.stub.on("GET", f"{SIDECAR}/logs", http(200, frame))

    case.up(ENDED, ENDED)

    assert [each.rpartition("/")[2] for each in case.removed()] == [INPUTS.names.dind, STORE]


def test_what_the_sidecar_says_of_its_store(case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    """The job log has the reason."""
    line = b"dind-executor: layers dropped: cache.db is damaged\n"
    frame = b"\2\0\0\0" + len(line).to_bytes(4, "big") + line
    case.stub.on("GET", f"{SIDECAR}/logs", http(200, frame))

    case.up(RUNS)

    assert "that this slot has kept: cache.db is damaged\n" in capfd.readouterr().err


def test_an_image_that_cannot_be_used(case: Case) -> None:
    """It has nothing to do with layers."""

    def up(_spec: ContainerSpec) -> None:
        raise UnusableImage("no root")

    with pytest.raises(UnusableImage):
        case.layers.up(SPEC, up)
