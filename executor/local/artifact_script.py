"""The scripts that move artifacts, by the gitlab-runner of the helper container.

Pure. Without a gitlab-runner there the artifacts are lost and the sub-stage passes, which is
what the real runner's scripts do.
"""

import shlex

from executor.local.script import ScriptContext, missing_runner


def download_artifacts(context: ScriptContext) -> str:
    """Return the script that fetches the artifacts of earlier jobs."""
    lines = []
    for dependency in context.request.dependencies:
        lines.append(
            context.say(f"Downloading artifacts for {dependency.name} ({dependency.id})...")
        )
        lines.append(
            shlex.join(
                [
                    *("gitlab-runner", "artifacts-downloader"),
                    *("--url", context.request.facts.site.url),
                    *("--token", context.request.token),
                    *("--id", str(dependency.id)),
                ]
            )
        )
    return _guarded(context, lines, "Artifacts downloading")


def upload_artifacts(context: ScriptContext) -> str:
    """Return the script that keeps what the job's `artifacts:` lists."""
    request = context.request
    kept = request.definition.artifacts
    if kept is None:
        return ""
    arguments = [
        *("gitlab-runner", "artifacts-uploader"),
        *("--url", request.facts.site.url),
        *("--token", request.token),
        *("--id", str(request.id)),
    ]
    for path in kept.paths:
        arguments += ["--path", context.variables.expand(path)]
    for path in kept.exclude:
        arguments += ["--exclude", context.variables.expand(path)]
    if kept.untracked:
        arguments.append("--untracked")
    name = context.variables.expand(kept.name) or "artifacts"
    arguments += ["--name", name, "--artifact-format", "zip", "--artifact-type", "archive"]
    if kept.expire_in:
        arguments += ["--expire-in", kept.expire_in]
    lines = [context.say("Uploading artifacts..."), shlex.join(arguments)]
    return _guarded(context, lines, "Uploading artifacts")


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
