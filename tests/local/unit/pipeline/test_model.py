"""The pipeline as frozen data: what follows from its fields."""

import pytest

from executor.local.pipeline.model import Artifacts, JobDefinition, Report


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("junit", "junit.xml"),
        ("codequality", "gl-code-quality-report.json"),
        ("coverage_report", "cobertura-coverage.xml"),
        ("sast", "gl-sast-report.json"),
        ("secret_detection", "gl-secret-detection-report.json"),
    ],
)
def test_a_report_has_gitlabs_name(kind: str, name: str) -> None:
    """Most names follow from the kind, and a few are GitLab's own."""
    assert Report(kind, ("a",)).name == name


@pytest.mark.parametrize(
    ("artifacts", "archive"),
    [
        (Artifacts(), False),
        (Artifacts(paths=("a",)), True),
        (Artifacts(untracked=True), True),
        (Artifacts(exclude=("a",), reports=(Report("junit", ("a",)),)), False),
    ],
)
def test_reports_alone_are_no_archive(artifacts: Artifacts, *, archive: bool) -> None:
    """Later jobs get paths and untracked files, and no reports."""
    assert artifacts.has_archive is archive


@pytest.mark.parametrize(
    ("job", "codes"),
    [
        (JobDefinition("a", "test", ("true",)), []),
        (JobDefinition("a", "test", ("true",), allow_failure=True), [0, 1, 137]),
        (JobDefinition("a", "test", ("true",), allowed_exit_codes=(137,)), [137]),
    ],
)
def test_which_failures_stop_nothing(job: JobDefinition, codes: list[int]) -> None:
    """`allow_failure` allows every failure, or those with certain exit codes."""
    assert [code for code in (0, 1, 137) if job.may_fail_with(code)] == codes
