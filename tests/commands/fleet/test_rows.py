"""What of GitLab's words counts."""

import pytest

from executor.commands.fleet.rows import Manager, Runner, read_runner, version_of


def test_a_runner_with_a_host() -> None:
    """Names, times and what is running are read."""
    told = {
        "id": 7,
        "description": "builder",
        "runner_type": "group_type",
        "paused": True,
        "tag_list": ["b", "a"],
        "run_untagged": False,
        "access_level": "ref_protected",
        "created_at": "1970-01-01T00:00:10.000Z",
        "token_expires_at": None,
        "contacted_at": "1970-01-01T01:00:00+01:00",
    }
    host = {
        "system_id": "s_1",
        "version": "17.9.0",
        "ip_address": "10.0.0.1",
        "contacted_at": "1970-01-01T00:00:30",
        "job_execution_status": "active",
    }

    runner = read_runner(told, [host, "nonsense"])

    manager = Manager("s_1", "17.9.0", "10.0.0.1", 30.0, is_busy=True)
    assert runner == Runner(
        7,
        "builder",
        "group_type",
        paused=True,
        tags=("a", "b"),
        protected=True,
        created=10.0,
        contacted=0.0,
        managers=(manager,),
    )
    assert runner.last_contact == 30.0


@pytest.mark.parametrize("number", [None, "7", True, 1.5])
def test_what_has_no_number_is_no_runner(number: object) -> None:
    """Nothing could be asked about it."""
    assert read_runner({"id": number}, []) is None


def test_words_of_other_kinds_are_not_there() -> None:
    """An answer that means harm, or that is of another version, breaks nothing."""
    told = {"id": 1, "description": 5, "tag_list": "x", "contacted_at": "soon", "paused": "no"}

    assert read_runner(told, {"a": 1}) == Runner(1)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("17.9.0", (17, 9)),
        ("19.4.0-pre", (19, 4)),
        ("v18.11.2", (18, 11)),
        ("17", None),
        ("development version", None),
        ("1.²", None),
        ("", None),
    ],
)
def test_versions(text: str, version: tuple[int, int] | None) -> None:
    """The first two numbers count."""
    assert version_of(text) == version
