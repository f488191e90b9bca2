"""Which pull policies are tried for an image, and what gitlab-runner's words are for it."""

from typing import Any

import pytest

from executor.errors import ExecutorError, PolicyViolation, SettingsError
from executor.plan.images import plan_images
from executor.plan.pull_policies import effective_policies, own_policies, unified
from executor.spec import ImagePlan, Pull
from tests.builders import a_service, a_variable, some_inputs, some_settings

ID = "sha256:" + "a" * 64
IF, NEVER, ALWAYS = "if-not-present", "never", "always"


@pytest.mark.parametrize(
    ("settings", "asked", "expected"),
    [
        ("", [], [ALWAYS]),
        ("", [ALWAYS, ALWAYS], [ALWAYS, ALWAYS]),
        ('pull_policy = "never"', [], [NEVER]),
        ('pull_policy = "never"', [NEVER], [NEVER]),
        ('pull_policy = ["always", "if-not-present"]', [], [ALWAYS, IF]),
        ('pull_policy = ["always", "if-not-present"]', [IF], [IF]),
        ('pull_policy = ["always", "if-not-present"]', [IF, NEVER, ALWAYS], [IF, ALWAYS]),
        ('allowed_pull_policies = ["never", "always"]', [], [ALWAYS]),
        ('allowed_pull_policies = ["never", "always"]', [NEVER], [NEVER]),
        ('pull_policy = ["always", "never"]\nallowed_pull_policies = ["never"]', [], [NEVER]),
        ("pull_policy = []", [], [ALWAYS]),
    ],
)
def test_the_policies_to_try(settings: str, asked: list[str], expected: list[str]) -> None:
    """The job's list counts, else the administrator's, else `always`; what is allowed stays."""
    images = some_settings(f"[docker]\n{settings}").docker.images

    assert effective_policies("alpine", asked, images) == tuple(expected)


@pytest.mark.parametrize(
    ("settings", "asked", "kind", "words"),
    [
        (
            'allowed_pull_policies = ["if-not-present"]',
            [],
            SettingsError,
            (
                "([always]) defined in Runner config (default) is not one of the"
                " allowed_pull_policies ([if-not-present])"
            ),
        ),
        (
            'pull_policy = "never"\nallowed_pull_policies = ["if-not-present"]',
            [],
            SettingsError,
            (
                "([never]) defined in Runner config is not one of the allowed_pull_policies"
                " ([if-not-present])"
            ),
        ),
        (
            'allowed_pull_policies = ["if-not-present"]',
            [ALWAYS],
            PolicyViolation,
            (
                "([always]) defined in GitLab pipeline config is not one of the"
                " allowed_pull_policies ([if-not-present])"
            ),
        ),
        (
            'pull_policy = "never"\nallowed_pull_policies = ["if-not-present", "never"]',
            [ALWAYS, ALWAYS],
            PolicyViolation,
            (
                "([always always]) defined in GitLab pipeline config is not one of the"
                " allowed_pull_policies ([if-not-present never])"
            ),
        ),
        (
            "",
            [NEVER],
            PolicyViolation,
            (
                "([never]) defined in GitLab pipeline config is not one of the"
                " allowed_pull_policies ([always])"
            ),
        ),
        (
            "",
            ["sometimes"],
            PolicyViolation,
            "([sometimes]) defined in GitLab pipeline config",
        ),
    ],
)
def test_no_policy_is_left(
    settings: str, asked: list[str], kind: type[ExecutorError], words: str
) -> None:
    """The sentence is gitlab-runner's; whose list it was decides whose mistake it is."""
    images = some_settings(f"[docker]\n{settings}").docker.images

    with pytest.raises(kind) as caught:
        effective_policies("alpine:3.14.2", asked, images)

    text = str(caught.value)
    assert text.startswith('invalid pull policy for image "alpine:3.14.2": pull_policy ')
    assert words in text


def test_the_administrators_own_images_need_no_admission() -> None:
    """A list that admits something else for jobs leaves the helper and dind in reach."""
    images = some_settings('[docker]\nallowed_pull_policies = ["if-not-present"]').docker.images

    assert own_policies(images) == (ALWAYS,)


def test_one_image_is_taken_once() -> None:
    """The list that wants it freshest decides; another platform is another image."""
    pulls = [
        Pull("a:1", policies=(NEVER,)),
        Pull("a:1", policies=(ALWAYS, IF)),
        Pull("a:1", policies=(IF,)),
        Pull("a:1", "linux/arm64", policies=(NEVER,)),
    ]

    assert [each.policies for each in unified(pulls)] == [(ALWAYS, IF)] * 3 + [(NEVER,)]


def test_each_image_has_its_policies() -> None:
    """The job's count for its image, a service's own for it, the administrator's for the rest."""
    images = _planned(
        'pull_policy = "if-not-present"\nallowed_pull_policies = ["always", "if-not-present"]',
        services=[a_service("redis:7"), a_service("postgres:16")],
    )

    assert images.build.policies == (ALWAYS,)
    assert [each.policies for each in images.services] == [(IF,), (IF,)]
    assert images.default_dind
    assert images.default_dind.policies == (IF,)
    assert images.helper_policies == (IF,)


@pytest.mark.parametrize("bare", [ID, "a" * 64, "sha256:aaaa"])
@pytest.mark.parametrize("where", ["image", "service"])
def test_an_id_needs_a_policy_that_asks_no_registry(bare: str, where: str) -> None:
    """An id goes around the registry's own say in who may have the image."""
    named = a_service(bare, pull_policy=[NEVER])
    jobs: dict[str, Any] = {"image": named} if where == "image" else {"services": [named]}
    settings = '[docker]\nallowed_pull_policies = ["always", "never"]\n'

    images = plan_images(some_inputs(settings=settings, **jobs))
    got = images.build if where == "image" else images.services[0]
    assert got.image == f"sha256:{bare.removeprefix('sha256:')}"

    key = "allowed_images" if where == "image" else "allowed_services"
    for more in (f'{key} = ["**", "!*/kali*"]', f'{key} = ["alpine*"]'):
        with pytest.raises(PolicyViolation):
            plan_images(some_inputs(settings=settings + more, **jobs))
    named["pull_policy"] = [NEVER, ALWAYS]
    with pytest.raises(PolicyViolation, match="is an image id"):
        plan_images(some_inputs(settings=settings, **jobs))


def test_the_administrator_may_name_an_id() -> None:
    """Whoever writes the settings has the engine anyway."""
    inputs = some_inputs(image=a_service(""), settings=f'[docker]\nimage = "{ID}"')

    assert plan_images(inputs).build.image == ID


def test_a_variable_names_no_id() -> None:
    """Where the administrator leaves the image to the job, the job names it as it does in `image:`."""
    inputs = some_inputs(
        image=a_service(""),
        settings='[docker]\nimage = "$ANY"',
        variables=[a_variable("ANY", ID)],
    )

    with pytest.raises(PolicyViolation, match="is an image id"):
        plan_images(inputs)


def _planned(settings: str, services: list[dict[str, object]]) -> ImagePlan:
    image = a_service("alpine:3", pull_policy=[ALWAYS])
    return plan_images(
        some_inputs(settings=f"[docker]\n{settings}", image=image, services=services)
    )
