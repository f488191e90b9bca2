"""A job whose administrator mounts something at /run."""

import pytest

from executor.engine.container_request import container_request, sent_on_stdin
from executor.spec import ImageFacts
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import a_plan


@pytest.mark.parametrize(
    ("volume", "moves"),
    [
        ("/srv:/run", True),
        ("/srv:/var/run:ro", True),
        ("/srv:/var", True),
        ("/run", True),
        ("/srv:/run/secrets", False),
        ("/srv:/var/lib", False),
        ("/cache", False),
    ],
)
def test_nothing_of_ours_is_in_what_is_mounted(volume: str, *, moves: bool) -> None:
    """The engine would make a directory there; the socket is at one place in both containers."""
    secret = a_variable("SECRET", "hidden-from-everyone", masked=True)
    inputs = some_inputs(
        settings=f'docker.volumes = ["{volume}"]',
        variables=[secret],
        services=[a_service("postgres", variables=[a_variable("PASSWORD", "$SECRET")])],
    )
    plan = a_plan(inputs)
    assert plan.dind
    image = ImageFacts("sha256:1", ("/entrypoint",), ("server",))

    for spec in (plan.build, plan.helper, plan.dind, *plan.services):
        asked = str([container_request(spec, image), sent_on_stdin(spec)])
        assert ("/run/dind-executor" in asked) is not moves
        assert ("'/dind-executor" in asked) is moves

    socket = "-socket"
    places = {
        place
        for spec in (plan.build, plan.dind)
        for name, place in spec.mounts
        if name.endswith(socket)
    }
    assert len(places) == 1
