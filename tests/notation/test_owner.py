"""The label that names a job's gitlab-runner."""

import pytest

from executor.notation.owner import Owner, owner_text, parse_owner

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
