"""The job payload: a job assignment in the shape that GitLab gives it and the runner writes down.

Pure, and free of the runner. `inputs` is what the runner writes; a server would leave it out.
"""

from executor.local.pipeline.model import Image, JobDefinition
from executor.local.project.assignment import Assignment
from executor.local.project.variables import Variable

Json = dict[str, object]

_AFTER_SCRIPT_TIMEOUT_SECONDS = 300
_SHA1_DIGITS = 40


def payload_of(assignment: Assignment) -> Json:
    """Return the payload: every field, in the runner's shape."""
    job = assignment.definition
    return {
        "id": assignment.id,
        "token": assignment.token,
        # Sources are made anew for each job, and nothing is left on the engine, unless a job says
        # otherwise.
        "allow_git_fetch": False,
        "job_info": _job_info(assignment),
        "git_info": _git_info(assignment),
        "runner_info": {"uuid": "", "timeout": assignment.timeout_seconds},
        "inputs": {},
        "variables": [_variable(variable) for variable in assignment.variables],
        "steps": _steps(assignment),
        "image": _image(job.image or Image("")),
        "services": [_image(service) for service in job.services] or None,
        "artifacts": _artifacts(job),
        "cache": _caches(assignment),
        "credentials": [
            {
                "type": "registry",
                "url": credential.url,
                "username": credential.username,
                "password": credential.password,
            }
            for credential in assignment.credentials
        ],
        "dependencies": [
            {
                "id": dependency.id,
                "token": assignment.token,
                "name": dependency.name,
                "artifacts_file": {"filename": dependency.filename, "size": dependency.size},
            }
            for dependency in assignment.dependencies
        ],
        "features": {
            "trace_sections": True,
            "token_mask_prefixes": [],
            "failure_reasons": ["script_failure", "runner_system_failure"],
            "tracing": None,
        },
        "policy_options": {"execution_policy_job": False, "policy_name": ""},
    }


def _job_info(assignment: Assignment) -> Json:
    project = assignment.facts.project
    return {
        "name": assignment.definition.name,
        "stage": assignment.definition.ci_stage,
        "pipeline_id": assignment.facts.pipeline_id,
        "project_id": project.id,
        "project_name": project.name,
        "project_full_path": project.path,
        "namespace_id": 1,
        "root_namespace_id": 1,
        "organization_id": 1,
        "user_id": 1,
        "instance_id": "",
        "instance_uuid": "",
        "time_in_queue_seconds": 0,
        "project_jobs_running_on_instance_runners_count": "0",
        "queue_size": 0,
        "queue_depth": 0,
    }


def _git_info(assignment: Assignment) -> Json:
    checkout = assignment.facts.checkout
    return {
        "repo_url": assignment.repository_url,
        "repo_object_format": "sha1" if len(checkout.sha) == _SHA1_DIGITS else "sha256",
        "ref": checkout.branch,
        "sha": checkout.sha,
        "before_sha": checkout.before_sha,
        "ref_type": "branch",
        "refspecs": list(assignment.refspecs),
        "depth": assignment.depth,
        "protected": False,
    }


def _steps(assignment: Assignment) -> list[Json]:
    job = assignment.definition
    steps: list[Json] = [
        {
            "name": "script",
            "script": [*job.before_script, *job.script],
            "timeout": assignment.timeout_seconds,
            "when": "on_success",
            "allow_failure": False,
        }
    ]
    if job.after_script:
        after_script: Json = {
            "name": "after_script",
            "script": list(job.after_script),
            "timeout": _AFTER_SCRIPT_TIMEOUT_SECONDS,
            "when": "always",
            "allow_failure": True,
        }
        steps.append(after_script)
    return steps


def _image(image: Image) -> Json:
    fields: Json = {"name": image.name}
    optional: Json = {
        "alias": image.alias,
        "command": list(image.command or ()),
        "entrypoint": list(image.entrypoint or ()),
        # Of these GitLab says neither that they are public nor that they are masked.
        "variables": [
            {"key": each.key, "value": each.value, "raw": each.raw} for each in image.variables
        ],
        "pull_policy": list(image.pull_policy),
    }
    fields.update({key: value for key, value in optional.items() if value})
    fields["executor_opts"] = {
        "docker": {"platform": image.platform, "user": image.user},
        "kubernetes": {"user": ""},
    }
    return fields


def _variable(variable: Variable) -> Json:
    return {
        "key": variable.key,
        "value": variable.value,
        "public": variable.public,
        "file": variable.file,
        "masked": variable.masked,
        "raw": variable.raw,
    }


def _artifacts(job: JobDefinition) -> list[Json] | None:
    if job.artifacts is None:
        return None
    kept = job.artifacts
    archive: Json = {
        "name": kept.name,
        "untracked": kept.untracked,
        "paths": list(kept.paths),
        "exclude": list(kept.exclude) or None,
        "when": kept.when,
        "artifact_type": "archive",
        "artifact_format": "zip",
        "expire_in": kept.expire_in,
    }
    reports: list[Json] = [
        {
            "name": report.name,
            "untracked": False,
            "paths": list(report.paths),
            "exclude": None,
            "when": "always",
            "artifact_type": report.kind,
            "artifact_format": "gzip",
            "expire_in": kept.expire_in,
        }
        for report in kept.reports
    ]
    return [*([archive] if kept.has_archive else []), *reports]


def _caches(assignment: Assignment) -> list[Json] | None:
    caches: list[Json] = [
        {
            "key": cache.key,
            "untracked": cache.untracked,
            "policy": cache.policy,
            "paths": list(cache.paths),
            "when": cache.when,
            "fallback_keys": list(cache.fallback_keys),
        }
        for cache in assignment.caches
    ]
    return caches or None
