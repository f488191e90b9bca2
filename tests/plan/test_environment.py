"""Everything that is decided for a job before anything is done."""

import sys
from collections import Counter
from types import FrameType

import pytest

from executor.plan.certificates import certificate_names
from tests.builders import (
    TOKEN,
    a_login,
    a_service,
    some_inputs,
)
from tests.plans import (
    CASES,
    DIRECTORY,
    a_page_job,
    a_plan,
    rendered,
    sidecar_of,
)


@pytest.mark.parametrize("name", CASES)
def test_plans_are_as_they_were(name: str) -> None:
    """A difference is either a mistake or the point: `python -m tests.plans` writes it down."""
    assert rendered(name) == (DIRECTORY / f"{name}.json").read_text(encoding="utf-8")


def test_every_golden_file_is_compared() -> None:
    """A case that is gone takes its file with it."""
    assert {each.stem for each in DIRECTORY.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_holds_for_every_plan(name: str) -> None:
    """Only the sidecar is privileged; everything carries the label; no name is used twice."""
    inputs = CASES[name]()
    plan = a_plan(CASES[name]())

    containers = [plan.helper, plan.build, *plan.services, *([plan.dind] if plan.dind else [])]
    owned = [(each.name, each.labels) for each in plan.volumes]
    owned += [(each.name, each.labels) for each in containers]
    owned.append((plan.network.name, plan.network.labels))
    names = [name for name, _ in owned]
    aliases = [alias for each in containers for alias in each.aliases]
    assert not [each for each in containers if each.privileged and each is not plan.dind]
    assert all(labels["dind-executor.job"] == inputs.names.key for _, labels in owned)
    assert len(set(names)) == len(names)
    assert len(set(aliases)) == len(aliases)
    assert {each.network for each in containers} == {plan.network.name}
    assert all(
        (inputs.names.builds_volume, inputs.settings.builds_dir) in each.mounts
        for each in containers
    )
    if plan.dind:
        assert plan.dind.aliases[0] == "docker"
        assert set(plan.dind.aliases) <= set(certificate_names(inputs, sidecar_of(inputs), ()))


@pytest.mark.parametrize("name", CASES)
def test_no_secret_is_planned_where_it_shows(name: str) -> None:
    """No name, label, command or environment holds a secret; files alone may."""
    plan = a_plan(CASES[name]())
    containers = [plan.helper, plan.build, *plan.services, *([plan.dind] if plan.dind else [])]

    seen = str([(each, each.environment) for each in containers])
    for secret in (TOKEN, "registry-password", "Y2k6cmVnaXN0cnktcGFzc3dvcmQ=", "key\\n"):
        assert secret not in seen
    assert "registry-password" not in repr(plan)


def test_what_follows_from_the_inputs_is_worked_out_once() -> None:
    """A plan derives secrets, volumes and services once, however many containers ask for them."""
    inputs = CASES["extra-service"]()
    calls: Counter[str] = Counter()
    sidecar = sidecar_of(inputs)
    inputs = CASES["extra-service"]()

    def count(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call":
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        a_plan(inputs)
        certificate_names(inputs, sidecar, ())
    finally:
        sys.setprofile(None)
    derived = ("secret_values", "secret_keys", "job_volumes", "name_services", "service_container")
    assert {each: calls[each] for each in derived} == dict.fromkeys(derived[:-1], 1) | {
        "service_container": 2
    }


def test_a_login_reaches_the_build_container_by_a_file() -> None:
    """The build container alone has it; neither the helper nor a service has a word of it."""
    plan = a_plan(CASES["page-pipeline"]())

    (found,) = [each for each in plan.build.files if each.path.endswith("/config.json")]
    assert b"Y2k6cmVnaXN0cnktcGFzc3dvcmQ=" in found.content
    assert found.content.count(b"\n") == 0
    assert plan.helper.files == ()
    assert plan.dind
    assert not [each for each in plan.dind.files if "config.json" in each.path]


def test_the_page_job_has_its_login_from_the_payload() -> None:
    """The sample that most of this stands on is what it says."""
    assert a_page_job().catalogue.entries[0].credential == a_login()


@pytest.mark.parametrize(("alias", "expected"), [("db", ("build",)), ("build", ())])
def test_the_build_container_is_called_build(alias: str, expected: tuple[str, ...]) -> None:
    """It has the name `build` unless a service has taken it."""
    plan = a_plan(some_inputs(services=[a_service("postgres:16", alias=alias)]))

    assert plan.build.aliases == expected
