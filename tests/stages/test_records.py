"""The records that the stages of real jobs leave, beside what the engine and the registry say."""

from pathlib import Path

import pytest

from executor.commands.metrics.keeper import Keeper
from tests.rig.state import Rig
from tests.stages.conftest import Start
from tests.stages.recorded import (
    assert_engine_agrees,
    assert_in_order,
    did,
    engine_events,
    records,
)
from tests.stages.registry import Images, layer_sizes
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

SECRET = "s3cr3t-in-everything"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Return the state directory of a test's jobs."""
    place = tmp_path / "state"
    place.mkdir()
    return place


def counted(state_dir: Path) -> dict[tuple[str, ...], float]:
    """Return the jobs that `dind-executor metrics` counts, by their results and reasons."""
    keeper = Keeper(str(state_dir), str(state_dir / "spool"))
    assert keeper.look()
    return {labels: value for labels, (value,) in keeper.counts.series["jobs"].items() if value}


def test_the_records_of_a_job_say_what_the_engine_and_the_registry_say(
    rig: Rig, start: Start, witness: Witness, images: Images, state_dir: Path
) -> None:
    """One for each call; its pulls, containers and scripts are those of the engine's own events."""
    name = rig.special("tests/recorded:1")
    image = images.changed("alpine", "head -c 3000000 /dev/urandom >/noise")
    images.publish(image, name)
    images.forget(str(image.id))
    images.expect(name)
    request = JobRequest(
        services=[{"name": name, "command": ["sleep", "600"]}],
        variables=[Variable("SECRET", SECRET, masked=True, public=False)],
    )
    job = start(request, {"sweep": {"state_dir": str(state_dir)}})
    with engine_events(witness) as events:
        job.up()
        job.script(f"echo {SECRET}").passed()
        failed = job.script("exit 3", sub_stage="step_script")
        job.cleanup().passed()

    found = records(state_dir)
    assert failed.code == 1
    assert [(each["stage"], each.get("step"), each["outcome"]) for each in found] == [
        ("config", None, "success"),
        ("prepare", None, "success"),
        ("run", "prepare_script", "success"),
        ("run", "get_sources", "success"),
        ("run", "build_script", "success"),
        ("run", "step_script", "script_failure"),
        ("cleanup", None, "success"),
    ]
    assert {(each["job"], each["project"]) for each in found} == {(job.id, 7)}
    assert len({each["key"] for each in found}) == 1
    assert found[0]["gitlab"] == found[1]["gitlab"] == "https://gitlab.example.com"
    assert_engine_agrees(found[1], events)
    assert_in_order(found)
    roles = {each["container"] for each in did(found[1], "start")}
    assert roles == {"build", "helper", "dind", "service-0"}
    pulls = {each["image"]: each for each in did(found[1], "pull")}
    assert set(pulls) == {"alpine:latest", "recorded:1", "docker:26.1-dind", "helper:1"}
    assert pulls["recorded:1"]["bytes"] == layer_sizes(rig, name)[-1]
    assert pulls["alpine:latest"]["bytes"] == pulls["docker:26.1-dind"]["bytes"] == 0
    assert [each["exit_code"] for each in did(found[5], "script")] == [3]
    assert did(found[6], "remove")[0]["containers"] == 4
    text = (state_dir / "spool" / "events.jsonl").read_text()
    assert not any(each in text for each in (SECRET, request.token, rig.hub))
    assert counted(state_dir) == {("script_failure", "script"): 1}


def test_a_pull_that_fails_is_recorded_with_its_reason(
    rig: Rig, start: Start, state_dir: Path
) -> None:
    """So is the stage that it ends."""
    job = start(
        JobRequest(image=rig.special("tests/nowhere:1")),
        {"sweep": {"state_dir": str(state_dir)}, "dind": {"mode": "service"}},
    )
    job.config().passed()
    assert job.prepare().code == 1
    job.cleanup().passed()

    _, prepare, cleanup = records(state_dir)
    (pull,) = (each for each in did(prepare, "pull") if each["image"] == "nowhere:1")
    assert (pull["why"], pull["policy"]) == ("image", "always")
    assert (prepare["outcome"], prepare["reason"]) == ("build_failure", "image")
    assert cleanup["outcome"] == "success"
    assert counted(state_dir) == {("script_failure", "image"): 1}


def test_no_job_hears_of_a_record_that_is_not_left(start: Start, state_dir: Path) -> None:
    """Something else is where the spool should be; the administrator's log says so once."""
    (state_dir / "spool").write_text("")
    job = start(JobRequest(), {"sweep": {"state_dir": str(state_dir)}, "dind": {"mode": "service"}})
    job.up()
    job.cleanup().passed()

    assert "spool" not in "".join(each.output for each in job.calls if each.stage != "config")
    log = (job.settings.parent / "operator.log").read_text()
    assert log.count('"record not left"') == 1
