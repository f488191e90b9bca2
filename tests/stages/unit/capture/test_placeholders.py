"""Placeholders in place of secrets; `test_capture` has the table of all places and forms."""

import json

import pytest

from executor.runner.captures import MARK
from executor.runner.payload import parse_job
from executor.stages.capture.placeholders import TooMuch, replaced
from executor.stages.capture.secrets import Secrets, find_secrets
from tests.builders import a_payload, a_variable


def captured(*variables: dict[str, object], values: dict[str, str] | None = None) -> str:
    payload = a_payload(variables=list(variables))
    known = values or {str(each["key"]): str(each["value"]) for each in variables}
    secrets = find_secrets(parse_job(payload), payload, known, ())
    document = {MARK: 1, "payload": payload, "values": known}
    return json.dumps(replaced(document, secrets), ensure_ascii=False)


def test_a_secret_that_is_a_word_of_placeholders() -> None:
    """Nothing is looked for in a placeholder."""
    text = captured(
        a_variable("A", "placeholder", masked=True),
        a_variable("PASSWORD", "PASSWORD", masked=True),
        a_variable("B", "a placeholder for the PASSWORD"),
    )

    assert '"a placeholder-of-A for the placeholder-of-PASSWORD"' in text


def test_what_is_not_secret_stays() -> None:
    """Prose, references, numbers, digests and plain URLs."""
    plain = [
        "https://example.com/a?ref=main&page=2",
        "git@example.com:group/project.git",
        'curl -H "PRIVATE-TOKEN: $TOKEN" https://example.com',
        "export TOKEN=$(cat /run/token)",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "docker build --build-arg VERSION=1.2.3 -t registry.example.com/group/project:main .",
        "npm run build && npm test",
    ]  # fmt: skip

    text = captured(*(a_variable(f"V{number}", each) for number, each in enumerate(plain)))

    assert [each for each in plain if json.dumps(each)[1:-1] not in text] == []


def test_an_empty_secret_stays_empty() -> None:
    """There is nothing to hide."""
    assert "placeholder-of-EMPTY" not in captured(a_variable("EMPTY", "", masked=True))


def test_too_much() -> None:
    """A job with thousands of long secrets is not captured: the job would wait for it."""
    secrets = Secrets(frozenset(), tuple((f"secret-{number}" * 3, "x") for number in range(3000)))
    document = {MARK: 1, "payload": {"x": "y" * 100_000}, "values": {}}

    with pytest.raises(TooMuch):
        replaced(document, secrets)


@pytest.mark.parametrize(
    "text", ["?" + "token" * 20_000, "password" * 20_000, "eyJ" * 30_000, "-----BEGIN " * 9_000]
)
def test_a_text_that_means_harm_takes_no_longer(text: str) -> None:
    """The time grows with the text: within what any test may take."""
    assert captured(a_variable("A", text))
