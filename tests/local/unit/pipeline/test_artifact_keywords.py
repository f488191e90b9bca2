"""What a job keeps: how `artifacts` is read."""

import pytest

from executor.local.pipeline.model import (
    Artifacts,
    Report,
)
from tests.local.unit.pipeline.reading import assert_mistake, job


def test_reports_and_what_only_gitlab_shows() -> None:
    """A job may have reports and nothing else, and display keywords mean nothing."""
    kept = job(
        "artifacts: {expose_as: x, access: all, reports: {junit: a.xml, codequality: [b],"
        " coverage_report: {coverage_format: cobertura, path: c.xml}}}"
    ).artifacts
    assert kept == Artifacts(
        reports=(
            Report("junit", ("a.xml",)),
            Report("codequality", ("b",)),
            Report("coverage_report", ("c.xml",)),
        )
    )
    assert not kept.has_archive


@pytest.mark.parametrize(
    ("text", "others", "words"),
    [
        ("artifacts: {when: sometimes}", "", ['"paths" is missing']),
        ("artifacts: {paths: [a], when: sometimes}", "", ['"sometimes"']),
        ("artifacts: {reports: {other: build.env}}", "", [":reports", '"other"']),
        ("artifacts: {reports: {coverage_report: {pth: a}}}", "", [":coverage_report", '"pth"']),
        ("artifacts: {reports: {coverage_report: {coverage_format: x}}}", "", ['"x"', "jacoco"]),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, others: str, words: list[str]) -> None:
    """The sentence has the place and what is wrong there."""
    assert_mistake(lambda: job(text, others), ['ci.yml: job "', *words])
