"""Which layers a sidecar finds again."""

from typing import Any

import pytest

from executor.names import LABEL
from executor.notation.paths import DATA_ROOT
from executor.plan.layers import Layers, major_version, plan_layers, store_of, with_store
from executor.plan.slots import slot_name
from executor.spec import ContainerSpec, ImageFacts
from tests.builders import fetching, some_inputs

KEPT = "dind.keep_layers = true\n"
NEW = ImageFacts("sha256:d", environment=("DOCKER_VERSION=26.1.5",))
OTHER = ImageFacts("sha256:o")
PROTECTED: dict[str, Any] = {
    "git_info": {"repo_url": "https://gitlab.example.com/g/p.git", "protected": True}
}


def layers_of(settings: str = KEPT, **changes: Any) -> Layers:
    """Return the layers of a job."""
    found = plan_layers(fetching(settings, **changes))
    assert found
    return found


def test_nothing_is_kept_unless_the_settings_say_so() -> None:
    """The default keeps nothing."""
    assert plan_layers(some_inputs()) is None


def test_a_job_that_hides_its_slot_keeps_none() -> None:
    """It could name another's."""
    variable = {"key": "CI_CONCURRENT_PROJECT_ID", "value": "1", "public": True, "masked": False}

    assert plan_layers(some_inputs(settings=KEPT, variables=[variable])) is None


def test_stores_are_split_as_caches_are() -> None:
    """By project and slot, and by protected refs."""
    names = {
        layers_of(**changes).claimed
        for changes in (
            {},
            {"values": {"CI_CONCURRENT_PROJECT_ID": "1"}},
            {"job_info": {"name": "build", "stage": "build", "project_id": 43}},
            PROTECTED,
        )
    }

    assert len(names) == 4
    assert sum(each.endswith("-protected") for each in names) == 1


def test_no_key_of_a_cache_leads_to_protected_layers() -> None:
    """Where a project does not separate caches, GitLab hands on the key as its author wrote it."""
    layers = layers_of(cache=[{"key": "main-protected", "paths": ["x"]}])

    assert not layers.claimed.endswith("-protected")


def test_what_the_image_says_of_its_version_is_in_the_name() -> None:
    """What an image does not say, its sidecar finds out; the claim is for all versions."""
    layers = layers_of(**PROTECTED)
    slot = slot_name(fetching(KEPT))

    assert store_of(layers, NEW).name == f"{slot}-layers-26-protected"
    assert store_of(layers, OTHER).name == layers.claimed == f"{slot}-layers-protected"


def test_a_store_is_nobodys_and_says_what_it_is() -> None:
    """So cleanup leaves it, and prune finds it."""
    labels = store_of(layers_of(), NEW).labels

    assert LABEL not in labels
    assert labels["dind-executor.type"] == "layers"
    assert labels["com.gitlab.gitlab-runner.project.id"] == "42"
    assert labels["com.gitlab.gitlab-runner.reusable"] == "true"
    assert labels["com.gitlab.gitlab-runner.protected"] == "false"


@pytest.mark.parametrize(
    ("said", "major"),
    [("v27.3", "27"), ("29", "29"), ("nightly", ""), ("", ""), ("٢٦", ""), ("9" * 300, "")],
)
def test_an_images_word(said: str, major: str) -> None:
    """What is no number says nothing."""
    assert major_version(ImageFacts("x", environment=(f"DOCKER_VERSION={said}",))) == major


def test_the_store_takes_the_place_of_the_jobs_own_volume() -> None:
    """Other mounts stay; the program of an image that says nothing asks dockerd."""
    spec = ContainerSpec(
        "d", "i", {}, "n", mounts=(("own", DATA_ROOT), ("b", "/builds")), prelude="x"
    )
    layers = layers_of(f'{KEPT}dind.keep_layers_size = "2k"\n')

    new, other = (with_store(spec, layers, store_of(layers, each), each) for each in (NEW, OTHER))

    assert new.mounts == ((store_of(layers, NEW).name, DATA_ROOT), ("b", "/builds"))
    assert "_cache='\\''1024'\\''" in new.prelude
    assert "_asked=''" in new.prelude
    assert "_asked='yes'" in other.prelude
    assert new.prelude.endswith("\nx")
