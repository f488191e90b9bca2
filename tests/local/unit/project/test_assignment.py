"""One job as GitLab hands it out."""

import pytest

from executor.local.pipeline.model import YamlVariable
from executor.local.project.assignment import Credential, credentials_of
from executor.local.project.variables import Variable
from tests.local.samples import an_assignment


def test_later_sources_of_variables_win() -> None:
    """Given beats the job's, the job's beats the predefined."""
    assignment = an_assignment(
        Variable("A", "given"),
        variables=(YamlVariable("A", "job"), YamlVariable("CI_PROJECT_NAME", "own")),
    )
    values = {variable.key: variable.value for variable in assignment.variables}
    assert values["A"] == "given"
    assert values["CI_PROJECT_NAME"] == "own"
    assert values["CI_COMMIT_REF_SLUG"] == "feature-one"
    assert values["CI_COMMIT_MESSAGE"] == "Title of $1\n\nBody"


def test_a_registry_brings_its_image_name_and_user() -> None:
    """CI_REGISTRY_IMAGE is lower case, and resolved in what refers to it."""
    assignment = an_assignment(
        Variable("CI_REGISTRY", "registry:5000"),
        Variable("CI_DEPENDENCY_PROXY_SERVER", "proxy:443"),
        variables=(YamlVariable("TAG", "$CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG"),),
    )
    values = {variable.key: variable.value for variable in assignment.variables}
    assert values["TAG"] == "registry:5000/group/sub/project:feature-one"
    assert values["CI_REGISTRY_USER"] == "gitlab-ci-token"
    prefix = values["CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX"]
    assert prefix == "proxy:443/group/dependency_proxy/containers"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ()),
        ({"CI_REGISTRY": "r:5000", "CI_REGISTRY_USER": "u"}, ()),
        (
            {"CI_REGISTRY": "r:5000", "CI_REGISTRY_USER": "u", "CI_REGISTRY_PASSWORD": "p"},
            (Credential("r:5000", "u", "p"),),
        ),
        (
            {"CI_DEPENDENCY_PROXY_SERVER": "g:443", "CI_DEPENDENCY_PROXY_PASSWORD": "q"},
            (Credential("g:443", "gitlab-ci-token", "q"),),
        ),
    ],
)
def test_credentials_come_with_a_password(
    values: dict[str, str], expected: tuple[Credential, ...]
) -> None:
    """GitLab gives a login to its registry and one to its dependency proxy."""
    assert expected == credentials_of([Variable(*item) for item in values.items()])


@pytest.mark.parametrize(("value", "expected"), [("", 20), ("0", 0), ("7", 7), ("x", 20)])
def test_the_depth_is_the_jobs_to_choose(value: str, expected: int) -> None:
    """GIT_DEPTH 0 fetches all history."""
    given = [Variable("GIT_DEPTH", value)] if value else []
    assert expected == an_assignment(*given).depth
