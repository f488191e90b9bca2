"""What an image adds to a container's plan."""

import pytest

from executor.errors import UnusableImage
from executor.plan.fitting import fitted
from executor.spec import ImageFacts
from tests.builders import a_variable, some_inputs
from tests.plans import a_plan, dind_of

SECRET = a_variable("KEY", "a-secret-value", masked=True, public=False)


def test_an_entrypoint_gets_the_secrets() -> None:
    """Scripts bring their variables along; only an entrypoint needs them earlier."""
    build = a_plan(some_inputs(variables=[SECRET])).build

    assert fitted(build, ImageFacts("sha256:1")).secret_environment == {}
    with_entrypoint = fitted(build, ImageFacts("sha256:1", ("/entrypoint",)))
    assert with_entrypoint.secret_environment["KEY"] == "a-secret-value"


def test_what_the_image_leaves_to_us() -> None:
    """A variable that the image sets is not set again."""
    build = a_plan(some_inputs()).build

    assert "DOCKER_HOST" in fitted(build, ImageFacts("sha256:1")).environment
    own = ImageFacts("sha256:1", environment=("DOCKER_HOST=tcp://x",))
    assert "DOCKER_HOST" not in fitted(build, own).environment


def test_a_sidecar_runs_as_root() -> None:
    """Its image may not say otherwise; a containerd starts before a dockerd that needs it."""
    dind = dind_of(a_plan(some_inputs()))

    with pytest.raises(UnusableImage):
        fitted(dind, ImageFacts("sha256:1", user="rootless"))
    slow = ImageFacts("sha256:1", environment=("DOCKER_VERSION=27.1",))
    quick = ImageFacts("sha256:1", environment=("DOCKER_VERSION=29.1",))
    assert fitted(dind, slow).prelude != dind.prelude
    assert fitted(dind, quick).prelude == dind.prelude
    assert fitted(dind, quick, keeps_layers=True).prelude != dind.prelude
