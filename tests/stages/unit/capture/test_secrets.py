"""What counts as secret of a job."""

import base64
import json

from executor.runner.payload import parse_job
from executor.stages.capture.secrets import Secrets, find_secrets, has_secret, is_secret_field
from tests.builders import TOKEN, a_payload, a_variable


def found(values: dict[str, str], *variables: dict[str, object], **more: object) -> Secrets:
    payload = a_payload(variables=list(variables), **more)
    return find_secrets(parse_job(payload), payload, values, ())


def test_variables_that_are_secret_as_a_whole() -> None:
    """Masked, private, files, by name, and what config.toml sets; not what is a plain word."""
    secrets = found(
        {"A": "1", "OTHER": "x", "CI_RUNNER_TAGS": "[]", "FF_X": "y", "DB_PASSWORD": "pw", "USE_AUTH": "true"},
        a_variable("MASKED", "12345678", masked=True),
        a_variable("PRIVATE", "12345678", public=False),
        a_variable("FLAG", "true", public=False),
        a_variable("FILE", "x", file=True),
        a_variable("DB_PASSWORD", "pw"),
        a_variable("USE_AUTH", "true"),
        a_variable("PLAIN", "x"),
    )  # fmt: skip

    assert secrets.keys >= {"MASKED", "PRIVATE", "FILE", "DB_PASSWORD", "OTHER"}
    assert secrets.keys.isdisjoint({"PLAIN", "USE_AUTH", "CI_RUNNER_TAGS", "FF_X", "A"})


def test_what_gitlab_tells_everyone_is_not_looked_for() -> None:
    """A private variable with the branch's name would mask it everywhere."""
    secrets = found(
        {},
        a_variable("CI_COMMIT_REF_NAME", "a-long-branch"),
        a_variable("BRANCH", "a-long-branch", public=False),
    )

    assert "a-long-branch" not in dict(secrets.named)


def test_parts_of_docker_auth_config() -> None:
    """The pair, its password, and tokens beside it."""
    auth = base64.b64encode(b"ci:hunter2-hunter2").decode()
    config = json.dumps({"auths": {"r": {"auth": auth, "identitytoken": "an-identity"}, "s": 1}})

    named = dict(found({"DOCKER_AUTH_CONFIG": config}).named)

    assert {auth, "hunter2-hunter2", "an-identity", TOKEN} <= named.keys()
    assert dict(found({"DOCKER_AUTH_CONFIG": "{"}).named)


def test_fields_of_the_payload() -> None:
    """What stands in a field for secrets is looked for elsewhere, too."""
    named = dict(found({}, dependencies=[{"token": "a-token-of-another"}]).named)

    assert named["a-token-of-another"] == "token"


def test_names() -> None:
    """A name tells, unless it is about authors, or the value is a plain word."""
    assert has_secret("NPM_TOKEN", "x")
    assert not has_secret("USE_AUTH", "TRUE")
    assert not has_secret("CI_COMMIT_AUTHOR", "somebody")
    assert is_secret_field("private_key")
    assert not is_secret_field("token_mask_prefixes")
