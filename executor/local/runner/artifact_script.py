"""The scripts that move artifacts, by the gitlab-runner of the helper container.

Pure. Without a gitlab-runner there the artifacts are lost and the sub-stage passes, which is
what the real runner's scripts do.
"""

import shlex

from executor.local.pipeline.model import Artifacts
from executor.local.runner.script import ScriptContext, missing_runner


def download_artifacts(context: ScriptContext) -> str:
    """Return the script that fetches the artifacts of earlier jobs."""
    lines = []
    for dependency in context.assignment.dependencies:
        lines.append(
            context.say(f"Downloading artifacts for {dependency.name} ({dependency.id})...")
        )
        lines.append(
            shlex.join(
                [
                    *("gitlab-runner", "artifacts-downloader"),
                    *("--url", context.assignment.facts.site.url),
                    *("--token", context.assignment.token),
                    *("--id", str(dependency.id)),
                ]
            )
        )
    return _guarded(context, lines, "Artifacts downloading")


def uploads(artifacts: Artifacts | None, state: str) -> bool:
    """Tell whether there is anything to upload in the state `on_success` or `on_failure`."""
    if artifacts is None:
        return False
    return bool(artifacts.reports) or _has_archive(artifacts, state)


def upload_artifacts_on_success(context: ScriptContext) -> str:
    """Return the script that keeps what a job that has passed lists."""
    return _upload(context, "on_success")


def upload_artifacts_on_failure(context: ScriptContext) -> str:
    """Return the script that keeps what a job that has failed lists."""
    return _upload(context, "on_failure")


def _has_archive(artifacts: Artifacts, state: str) -> bool:
    return artifacts.has_archive and artifacts.when in (state, "always")


def _upload(context: ScriptContext, state: str) -> str:
    kept = context.assignment.definition.artifacts or Artifacts()
    lines = []
    if _has_archive(kept, state):
        selected = []
        for path in kept.paths:
            selected += ["--path", context.variables.expand(path)]
        for path in kept.exclude:
            selected += ["--exclude", context.variables.expand(path)]
        if kept.untracked:
            selected.append("--untracked")
        name = context.variables.expand(kept.name) or "artifacts"
        kind = ["--artifact-format", "zip", "--artifact-type", "archive"]
        lines += _uploader(context, [*selected, "--name", name, *kind])
    # GitLab wants reports of failed jobs, too.
    for report in kept.reports:
        selected = []
        for path in report.paths:
            selected += ["--path", context.variables.expand(path)]
        kind = ["--artifact-format", "gzip", "--artifact-type", report.kind]
        lines += _uploader(context, [*selected, "--name", report.name, *kind])
    return _guarded(context, lines, "Uploading artifacts")


def _uploader(context: ScriptContext, selected: list[str]) -> list[str]:
    assignment = context.assignment
    kept = assignment.definition.artifacts
    arguments = [
        *("gitlab-runner", "artifacts-uploader"),
        *("--url", assignment.facts.site.url),
        *("--token", assignment.token),
        *("--id", str(assignment.id)),
        *selected,
    ]
    if kept and kept.expire_in:
        arguments += ["--expire-in", kept.expire_in]
    return [context.say("Uploading artifacts..."), shlex.join(arguments)]


def _guarded(context: ScriptContext, lines: list[str], action: str) -> str:
    return context.whole(
        [
            *context.exports(),
            f"cd {shlex.quote(context.where.project)}",
            "if gitlab-runner --version >/dev/null 2>&1; then",
            *lines,
            "else",
            missing_runner(context, action),
            "fi",
        ]
    )
