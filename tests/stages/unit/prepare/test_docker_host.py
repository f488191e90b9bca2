"""Whether the name in a job's DOCKER_HOST is that of a host elsewhere."""

import pytest

from executor.plan.images import plan_images
from executor.plan.sidecar import choose_sidecar
from executor.stages.prepare import docker_host
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import facts_of


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("services", "asked"),
    [(["docker:29-dind"], ["engine"]), (["postgres:16"], ["engine"]), ([], [])],
)
def test_where_it_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
    services: list[str],
    asked: list[str],
    known: bool,  # noqa: FBT001
) -> None:
    """The host is asked for a job with services, and its answer counts for one that lists dind."""
    seen: list[str] = []

    def resolves(name: str) -> bool:
        seen.append(name)
        return known

    monkeypatch.setattr(docker_host, "resolves", resolves)
    inputs = some_inputs(
        services=[a_service(each) for each in services],
        variables=[a_variable("DOCKER_HOST", "tcp://engine:2375")],
    )
    images = plan_images(inputs)

    host = docker_host.DockerHost(inputs, images)
    found = host.is_elsewhere(choose_sidecar(inputs, images, facts_of(inputs)))

    assert found is (known and services == ["docker:29-dind"])
    if found:
        assert seen == asked
    assert not host.is_elsewhere(None)
