"""docs/parity.md: complete, and as the settings, the tests and parity.toml have it."""

import pytest

from executor.settings.docker import DockerSettings
from executor.settings.file import Settings
from executor.settings.keys import same_keys
from tests import parity_page
from tests.parity_page import CHAPTERS, DOCKER_KEYS, RUNNER_KEYS, SCENARIOS, VERDICTS, Row


def all_rows() -> list[Row]:
    """Return the rows of every chapter."""
    return [row for chapter in CHAPTERS for row in parity_page.rows(chapter)]


@pytest.mark.parametrize(
    ("chapter", "names"),
    [
        ("docker", DOCKER_KEYS),
        ("runner", RUNNER_KEYS),
        ("behaviour", [str(number) for number in SCENARIOS]),
    ],
)
def test_nothing_is_left_out(chapter: str, names: list[str]) -> None:
    """The page has one row for each key and scenario, in order."""
    assert [row.name for row in parity_page.rows(chapter)] == names


def test_a_verdict_is_one_of_three() -> None:
    """No row says "not yet" or anything else."""
    assert [row for row in all_rows() if row.verdict not in VERDICTS] == []


def test_what_is_not_as_before_says_how() -> None:
    """An administrator who misses something reads why, and what to do."""
    assert [row for row in all_rows() if row.verdict != "supported" and not row.how] == []


def test_what_is_there_is_tested() -> None:
    """Each row that is supported or better has at least one test."""
    shown = parity_page.shown()
    wanting = [
        f"{chapter}: {row.name}"
        for chapter in CHAPTERS
        for row in parity_page.rows(chapter)
        if row.verdict != "not applicable" and not shown[chapter].get(row.name)
    ]
    assert wanting == []


def test_what_is_tested_is_there() -> None:
    """Tests are named for no row that the page does not have."""
    shown = parity_page.shown()
    assert set(shown) == set(CHAPTERS)
    for chapter, tests in shown.items():
        assert set(tests) <= {row.name for row in parity_page.rows(chapter)}


def test_the_tests_are_there() -> None:
    """A test that is renamed or moved is renamed in parity.toml."""
    named = [
        test.partition("::")
        for tests in parity_page.shown().values()
        for each in tests.values()
        for test in each
    ]
    assert [
        f"{path}::{name}" for path, _, name in named if name not in parity_page.functions(path)
    ] == []


def test_the_keys_are_those_of_the_settings() -> None:
    """What the page says is there is a field, every field is on the page, the rest is refused."""
    docker, runner = parity_page.rows("docker"), parity_page.rows("runner")
    there = {row.name for row in docker if row.verdict != "not applicable"}
    refused = {row.name for row in docker if row.verdict == "not applicable"}
    assert set(same_keys(DockerSettings)) == there
    assert set(DockerSettings.REFUSED) == refused
    assert set(same_keys(Settings)) <= {row.name for row in runner}


def test_the_admitted_differences_are_the_page_s() -> None:
    """`python -m tests.test_parity_page` prints the tables that the page must have."""
    page = parity_page.text()
    assert parity_page.difference_table() in page
    assert parity_page.outcome_table() in page


if __name__ == "__main__":
    print(parity_page.difference_table(), parity_page.outcome_table(), sep="\n")
