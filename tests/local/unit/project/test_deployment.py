"""What a job is told of its environment."""

import pytest

from executor.local.pipeline.model import Environment, YamlVariable
from executor.local.project.deployment import environment_slug
from tests.local.samples import an_assignment


def told(environment: Environment | None, *variables: YamlVariable) -> dict[str, str]:
    """Return the variables CI_ENVIRONMENT_* of a job, without that prefix."""
    assignment = an_assignment(environment=environment, variables=variables)
    return {
        each.key.removeprefix("CI_ENVIRONMENT_"): each.value
        for each in assignment.variables
        if each.key.startswith("CI_ENVIRONMENT_")
    }


def test_a_name_brings_the_rest() -> None:
    """GitLab guesses a tier, and an environment is started unless the job says otherwise."""
    assert told(None) == {}
    assert told(Environment("production")) == {
        "NAME": "production",
        "SLUG": "production",
        "ACTION": "start",
        "TIER": "production",
    }


def test_name_and_address_may_refer_to_variables() -> None:
    """The name refers to the job's variables, and the address also to what the name brings."""
    environment = Environment(
        "review/$CI_COMMIT_REF_SLUG", "https://$CI_ENVIRONMENT_SLUG.$SITE", "stop", "other"
    )
    assert told(environment, YamlVariable("SITE", "example.com")) == {
        "NAME": "review/feature-one",
        "SLUG": "review-feature-on-kb7zwt",
        "ACTION": "stop",
        "TIER": "other",
        "URL": "https://review-feature-on-kb7zwt.example.com",
    }


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("staging", "staging"),
        ("a" * 24, "a" * 24),
        ("a" * 25, "a" * 17 + "-"),
        ("Staging", "staging-"),
        ("a/b_c", "a-b-c-"),
        ("a--b", "a-b-"),
        ("1", "env-1-"),
        ("ends-", "ends"),
        ("abcdefghijklmnop/qrstuvw", "abcdefghijklmnop-"),
    ],
)
def test_a_slug_fits_a_host_name(name: str, start: str) -> None:
    """A slug that differs from the name ends with six digits of the name's digest."""
    slug = environment_slug(name)
    assert slug.startswith(start)
    assert len(slug) == len(start) + (6 if start.endswith("-") else 0)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("review/one", "development"),
        ("QA", "testing"),
        ("pre-prod", "staging"),
        ("live", "production"),
        ("x", "other"),
    ],
)
def test_the_tier_that_a_name_suggests(name: str, tier: str) -> None:
    """The first of GitLab's groups of words that has a word of the name decides."""
    assert told(Environment(name))["TIER"] == tier
