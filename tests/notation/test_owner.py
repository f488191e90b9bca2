"""The labels that say who a job belongs to, and the note that says the same."""

import pytest

from executor.names import DEADLINE_LABEL, LABEL, OWNER_LABEL
from executor.notation.owner import (
    Belonging,
    Owner,
    owner_text,
    parse_belonging,
    parse_note,
    parse_owner,
)
from tests.builders import BELONGING

OWNER = Owner("m1", "b-1", "4026531836", 42, 1234, local=True)


@pytest.mark.parametrize("owner", [OWNER, OWNER._replace(local=False)])
def test_an_owner_is_read_as_it_was_written(owner: Owner) -> None:
    """Both ways to reach an engine survive."""
    assert parse_owner(owner_text(owner)) == owner


def test_an_unknown_owner_is_nobody() -> None:
    """It has a text of its own, which names nobody."""
    assert owner_text(None) == "1:unknown"
    assert parse_owner(owner_text(None)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "2:m:b:1:1:1:local",
        "1:m:b:1:1:1",
        "1:m:b:1:1:1:local:more",
        "1::b:1:1:1:local",
        "1:m::1:1:1:local",
        "1:m:b::1:1:local",
        "1:m:b:1:x:1:local",
        "1:m:b:1:-1:1:local",
        "1:m:b:1:²:1:local",
        "1:m:b:1:1:1:near",
        f"1:m:b:1:{'1' * 21}:1:local",
        f"1:{'m' * 300}:b:1:1:1:local",
    ],
)
def test_what_cannot_be_read_names_nobody(text: str) -> None:
    """Nobody's objects are removed on a guess."""
    assert parse_owner(text) is None


def test_the_labels_of_a_job() -> None:
    """All of them are there, and texts."""
    assert BELONGING.labels() == {
        "dind-executor.job": "4711-0123456789",
        "dind-executor.job-id": "4711",
        "dind-executor.project-id": "42",
        "dind-executor.owner": "1:m4ch1ne:b00t:4026531836:1234:56789:local",
        "dind-executor.owner-container": "",
        "dind-executor.temp-dir": "/tmp/custom-executor1",
        "dind-executor.deadline": "1800000000",
        "dind-executor.gitlab": "https://gitlab.example.com",
    }


@pytest.mark.parametrize("belonging", [BELONGING, Belonging("1-ab", "1", "2", None)])
def test_who_a_job_belongs_to_is_read_as_it_was_written(belonging: Belonging) -> None:
    """Labels and note say the same, also of what is not known."""
    labels = belonging.labels()

    assert set(labels) == set(BELONGING.labels())
    assert parse_belonging(labels) == belonging
    assert parse_note(belonging.note()) == belonging


@pytest.mark.parametrize("deadline", ["", "-1", "soon", "1.5", "9" * 21])
def test_a_deadline_that_cannot_be_read_is_not_known(deadline: str) -> None:
    """It has not passed, as that of 1970 has."""
    found = parse_belonging({**BELONGING.labels(), DEADLINE_LABEL: deadline})

    assert found == BELONGING._replace(deadline=None)


def test_values_that_are_no_texts_are_not_known() -> None:
    """A note is a file, which anything may stand in."""
    found = parse_belonging({LABEL: "1-ab", OWNER_LABEL: ["x"], DEADLINE_LABEL: 5})

    assert found == Belonging("1-ab", "", "", None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"other": "x"}', b"\xff", b"[" * 100_000]
)
def test_a_note_that_names_no_job(content: bytes) -> None:
    """It is as none."""
    assert parse_note(content) is None
