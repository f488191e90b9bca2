"""Reading what a job keeps: `artifacts`, with its reports.

Pure.
"""

from executor.local.pipeline.keywords import (
    WHEN,
    Place,
    flag_at,
    mapping_at,
    one_of,
    scalar_text,
    strings_at,
    text_at,
)
from executor.local.pipeline.model import Artifacts, Report

# All but dotenv are for GitLab to show.
_REPORTS = (
    *(
        "accessibility",
        "annotations",
        "api_fuzzing",
        "browser_performance",
        "cluster_image_scanning",
    ),
    *("codequality", "container_scanning", "coverage_fuzzing", "coverage_report", "cyclonedx"),
    *(
        "dast",
        "dependency_scanning",
        "dotenv",
        "junit",
        "license_scanning",
        "load_performance",
        "metrics",
    ),
    *("performance", "repository_xray", "requirements", "requirements_v2", "sast"),
    *("secret_detection", "terraform"),
)
# GitLab shows or hides artifacts by these; for the jobs they mean nothing.
_ARTIFACT_DISPLAY = ("access", "expose_as", "public")
_COVERAGE_FORMATS = ("cobertura", "jacoco")
_ARTIFACTS = ("paths", "exclude", "name", "when", "expire_in", "untracked", "reports")


def artifacts_at(value: object, place: Place) -> Artifacts:
    """Return what a job keeps for later jobs and for GitLab."""
    fields = mapping_at(value, place)
    place.check_keys(fields, (*_ARTIFACTS, *_ARTIFACT_DISPLAY))
    untracked = flag_at(fields.get("untracked", False), place.of("untracked"))
    if not untracked and not {"paths", "reports"} & fields.keys():
        raise place.error('"paths" is missing; list what to keep')
    return Artifacts(
        paths=strings_at(fields.get("paths", []), place.of("paths")),
        exclude=strings_at(fields.get("exclude", []), place.of("exclude")),
        name=text_at(fields["name"], place.of("name")) if "name" in fields else "",
        when=one_of(WHEN, fields.get("when", "on_success"), place.of("when")),
        expire_in=scalar_text(fields.get("expire_in", "")),
        untracked=untracked,
        reports=_reports(fields.get("reports", {}), place.of("reports")),
    )


def _reports(value: object, place: Place) -> tuple[Report, ...]:
    fields = mapping_at(value, place)
    place.check_keys(fields, _REPORTS)
    return tuple(
        Report(kind, _report_paths(kind, paths, place.of(kind))) for kind, paths in fields.items()
    )


def _report_paths(kind: str, value: object, place: Place) -> tuple[str, ...]:
    if kind == "coverage_report":
        fields = mapping_at(value, place)
        place.check_keys(fields, ("coverage_format", "path"))
        coverage_format = fields.get("coverage_format", _COVERAGE_FORMATS[0])
        one_of(_COVERAGE_FORMATS, coverage_format, place.of("coverage_format"))
        value = fields.get("path")
    return (value,) if isinstance(value, str) else strings_at(value, place)
