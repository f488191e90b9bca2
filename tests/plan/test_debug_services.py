"""Which services' logs a job sees."""

import pytest

from executor.plan.debug_services import shown_services
from tests.builders import a_service, some_inputs
from tests.plans import a_plan

SERVICES = [a_service("postgres:16", alias="db"), a_service("docker:dind"), a_service("postgres:9")]


def shown(value: str, *, with_dind: bool = False, settings: str = "") -> list[str]:
    """Return what is shown, by the end of its container's name and its label."""
    values = {"CI_DEBUG_SERVICES": value}
    inputs = some_inputs(services=SERVICES, values=values, settings=settings)
    found = shown_services(inputs, a_plan(inputs), with_dind=with_dind)
    return [f"{name.partition('0123456789-')[2]} {label}" for name, label in found]


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "t", "T", "1"])
def test_what_gitlab_runner_takes_for_true(value: str) -> None:
    """All names of a service in front of its lines; one without a name has its image's."""
    assert shown(value) == ["service-0 postgres-db", "service-2 postgres:9"]


@pytest.mark.parametrize("value", ["", "false", "yes", "tRUE", "0", "2"])
def test_what_is_not_true(value: str) -> None:
    """gitlab-runner warns by itself of what is neither."""
    assert shown(value) == []


def test_a_sidecar_that_is_a_service() -> None:
    """It is one of the job's services then."""
    assert shown("true", with_dind=True)[-1] == "dind docker"


def test_an_operator_who_does_not_want_it() -> None:
    """As in config.toml."""
    assert shown("true", settings="debug_trace_disabled = true") == []
