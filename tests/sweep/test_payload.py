"""What is made of a payload that somebody left."""

import json

import pytest

from executor.sweep.payload import LeftPayload, UnusablePayload, parse_left_payload
from tests.sweep.samples import TOKEN, payload


def made(**more: object) -> LeftPayload:
    return parse_left_payload(json.dumps({**payload(), **more}).encode())


def variables(**values: str) -> list[dict[str, object]]:
    return [{"key": key, "value": value, "public": True} for key, value in values.items()]


def test_a_payload_names_its_job_and_its_gitlab() -> None:
    """The id, the token and GitLab's address are what it takes, and the token does not show."""
    found = made()

    assert found == LeftPayload(17, TOKEN, "https://gitlab.example.com")
    assert TOKEN not in repr(found)


def test_no_variable_leads_to_another_host() -> None:
    """A job's author can set every variable, and the address is the project's own one."""
    found = made(variables=variables(CI_SERVER_URL="http://169.254.169.254", CI_SERVER_HOST="x"))

    assert found.gitlab == "https://gitlab.example.com"


def test_gitlab_may_lie_below_a_path() -> None:
    """GitLab at a path of its host is found by its own address in the variables."""
    repo = "https://gitlab-ci-token:t@example.com:8443/git/lab/group/project.git"
    found = made(
        git_info={"repo_url": repo},
        variables=variables(CI_SERVER_URL="https://example.com:8443/git/lab"),
    )

    assert found.gitlab == "https://example.com:8443/git/lab"


def test_certificates_of_gitlab_runner_count_before_those_of_the_job() -> None:
    """The chain that gitlab-runner itself had verified is the one to trust."""
    content = json.dumps(payload(variables=variables(CI_SERVER_TLS_CA_FILE="the job's"))).encode()

    assert parse_left_payload(content).authorities == "the job's"
    assert parse_left_payload(content, "the runner's").authorities == "the runner's"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b'{"id": 17',
        b"[]",
        b"17",
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        json.dumps(payload(id="17")).encode(),
        json.dumps(payload(id=True)).encode(),
        json.dumps(payload(id=0)).encode(),
        json.dumps(payload(id=-17)).encode(),
        json.dumps(payload(id=1 << 64)).encode(),
        json.dumps(payload(token="")).encode(),
        json.dumps(payload(token="two\r\nlines")).encode(),
        json.dumps(payload(token="ümlaut")).encode(),
        json.dumps(payload(token="t" * 100_000)).encode(),
        json.dumps(payload(token=None)).encode(),
        json.dumps(payload(git_info=None)).encode(),
        json.dumps(payload(git_info={"repo_url": ""})).encode(),
        json.dumps(payload(git_info={"repo_url": "ssh://git@example.com/a.git"})).encode(),
        json.dumps(payload(git_info={"repo_url": "file:///etc/passwd"})).encode(),
        json.dumps(payload(git_info={"repo_url": 17})).encode(),
        json.dumps(payload(variables="none")).encode(),
    ],
)
def test_a_strange_payload_is_refused(content: bytes) -> None:
    """What gitlab-runner does not write is refused, without a word of it."""
    with pytest.raises(UnusablePayload) as refused:
        parse_left_payload(content)

    assert TOKEN not in str(refused.value)
    assert len(str(refused.value)) < 100
