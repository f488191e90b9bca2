"""Which images are whose by their names."""

from collections.abc import Sequence

import pytest

from executor.budgets.names import HELPER_KEY, Named, has_other_name, image_name, tags_of
from executor.budgets.records import ImageRecord
from executor.plan import images as plan_images
from tests.builders import some_settings

SETTINGS = """\
[docker]
image = "registry.example.com/base:$CI_BASE"
helper_image = "tools/helper"
[dind]
image = "docker:29-dind"
[[docker.services]]
name = "docker.io/library/postgres:16"
"""


@pytest.mark.parametrize(
    ("names", "is_named"),
    [
        (["docker:29-dind"], True),
        (["docker.io/library/docker:29-dind"], True),
        (["docker:28-dind"], False),
        (["postgres:16"], True),
        (["tools/helper:latest"], True),
        (["tools/helper:2"], False),
        (["registry.example.com/base:3"], True),
        (["registry.example.com/other:3"], False),
        (["alpine:3", "postgres:16"], True),
        ([], False),
    ],
)
def test_images_that_the_settings_name(names: list[str], is_named: bool) -> None:  # noqa: FBT001
    """However they are spelled, and whatever a variable stands for."""
    assert Named(some_settings(SETTINGS), {}).has("sha256:1", names) is is_named


def test_the_runners_own_helper_is_named_by_no_setting() -> None:
    """The one that was used last stays; an older one, of another version, may go."""
    known = {
        "old": ImageRecord(1.0, ("helper:1",), HELPER_KEY),
        "new": ImageRecord(2.0, ("helper:2",), HELPER_KEY),
        "job": ImageRecord(3.0, ("alpine:3",), ""),
    }

    named = Named(some_settings(), known)

    assert [each for each in known if named.has(each, known[each].names)] == ["new"]
    assert not Named(some_settings('[docker]\nhelper_image = "own"\n'), known).has("new", [])


def test_the_key_of_the_helper_is_the_plan_s() -> None:
    """Records have it as the plan writes it."""
    assert HELPER_KEY == plan_images.HELPER_KEY


@pytest.mark.parametrize(
    ("tags", "digests", "has_other"),
    [
        (["alpine:3"], ["alpine@sha256:" + "1" * 64], False),
        (["docker.io/library/alpine:3"], [], False),
        (["alpine:3", "mine:1"], [], True),
        (["alpine:4"], [], True),
        (["<none>:<none>"], ["<none>@<none>"], False),
        ([], ["alpine@sha256:" + "1" * 64], False),
        ([], ["mine@sha256:" + "1" * 64], True),
        (["Not A Name"], [], True),
    ],
)
def test_names_by_which_no_job_pulled(
    tags: Sequence[str],
    digests: Sequence[str],
    has_other: bool,  # noqa: FBT001
) -> None:
    """A tag of the administrator's keeps an image."""
    listed = {"RepoTags": tags, "RepoDigests": digests}

    assert has_other_name(listed, ["alpine:3"]) is has_other


def test_the_tags_of_an_image() -> None:
    """Docker's words for none are left out."""
    assert tags_of({"RepoTags": ["<none>:<none>", "a:1"]}) == ("a:1",)
    assert tags_of({"RepoTags": None}) == ()


def test_what_people_know_an_image_by() -> None:
    """Its first name, or its digest, or its id."""
    assert image_name({"Id": "i", "RepoTags": ["a:1"], "RepoDigests": ["a@d"]}) == "a:1"
    assert image_name({"Id": "i", "RepoTags": ["<none>:<none>"], "RepoDigests": ["a@d"]}) == "a@d"
    assert image_name({"Id": "i", "RepoTags": None, "RepoDigests": None}) == "i"
