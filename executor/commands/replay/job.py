"""A captured payload as a job for the embedded runner.  Pure."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from executor.local.pipeline.model import Image, JobDefinition, YamlVariable
from executor.local.project.assignment import Assignment, Credential, PipelineFacts
from executor.local.project.checkout import Checkout
from executor.local.project.predefined import Project
from executor.local.project.variables import Variable
from executor.runner.captures import PLACEHOLDER, placeholders_in

AUTH = "DOCKER_AUTH_CONFIG"
_PROJECT = re.compile(r"\w[\w-]*(?:[./]\w[\w-]*)*", re.ASCII)
_SCRIPT_FLAGS = ("FF_USE_LEGACY_BASH_EVAL", "FF_USE_NEW_BASH_EVAL_STRATEGY")


@dataclass(frozen=True, slots=True)
class Again(Assignment):
    """A job that runs again: its logins come from the host, or with DOCKER_AUTH_CONFIG."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Return the logins that GitLab would give with the job: none is known any more."""
        return ()


def definition_of(payload: Mapping[str, Any]) -> JobDefinition:
    """Return what the job does; its caches and artifacts are not there any more."""
    steps = {each["name"]: tuple(each["script"] or ()) for each in payload.get("steps") or ()}
    script = [line for name, lines in steps.items() if name != "after_script" for line in lines]
    info = payload.get("job_info") or {}
    return JobDefinition(
        name=str(info.get("name") or "job"),
        ci_stage=str(info.get("stage") or "test"),
        script=tuple(script),
        after_script=steps.get("after_script", ()),
        image=_image(payload.get("image") or {}),
        services=tuple(map(_image, payload.get("services") or ())),
    )


def variables_of(
    payload: Mapping[str, Any], own: Mapping[str, str], auth: str, *, has_sources: bool
) -> tuple[Variable, ...]:
    """Return the job's variables, with `own` in place of those that are another job's.

    A placeholder is no docker configuration: `auth` takes its place.
    """
    kept = [
        Variable(
            str(each["key"]),
            str(each.get("value") or ""),
            public=bool(each.get("public")),
            file=bool(each.get("file")),
            masked=bool(each.get("masked")),
            raw=bool(each.get("raw")),
        )
        for each in payload.get("variables") or ()
    ]
    found = [each for each in kept if each.key not in own and not _is_lost_login(each, auth)]
    if auth:
        found.append(Variable(AUTH, auth, public=False, masked=True, raw=True))
    if not has_sources:
        found.append(Variable("GIT_STRATEGY", "none"))
    return (*found, *(Variable(key, value, public=False, raw=True) for key, value in own.items()))


def script_flags(values: Mapping[str, str]) -> dict[str, str]:
    """Return the flags of gitlab-runner that decide which exit code a script of bash ends with.

    They may come from its config.toml, of which the payload says nothing.
    """
    return {key: values[key] for key in _SCRIPT_FLAGS if key in values}


def lost_variables(payload: Mapping[str, Any]) -> list[str]:
    """Return the names of the variables that have placeholders in their values."""
    variables = payload.get("variables") or ()
    return [str(each["key"]) for each in variables if PLACEHOLDER in str(each.get("value"))]


def other_placeholders(payload: Mapping[str, Any]) -> list[str]:
    """Return the names of the placeholders in scripts, image and services."""
    places = {key: payload.get(key) for key in ("steps", "image", "services")}
    return sorted(placeholders_in(json.dumps(places)))


def project_of(payload: Mapping[str, Any]) -> Project:
    """Return the project, whose path names directories here: the file may come from anybody."""
    path = str((payload.get("job_info") or {}).get("project_full_path") or "")
    if not _PROJECT.fullmatch(path):
        path = "local/replay"
    return Project(path, zlib.crc32(path.encode()) & 0x7FFFFFFF)


def checkout_of(payload: Mapping[str, Any]) -> Checkout:
    """Return the commit that a job was for, of which nothing is there."""
    from pathlib import Path  # noqa: PLC0415 (a field of the class)

    git = payload.get("git_info") or {}
    sha = str(git.get("sha") or "0" * 40)
    return Checkout(
        directory=Path("/"),
        branch=str(git.get("ref") or "main"),
        sha=sha,
        before_sha=str(git.get("before_sha") or "0" * len(sha)),
        timestamp="",
        author="",
        author_name="",
        author_email="",
        message="",
        is_modified=False,
    )


def assignment_of(
    payload: Mapping[str, Any],
    facts: PipelineFacts,
    variables: Sequence[Variable],
    *,
    job_id: int,
    token: str,
) -> Again:
    """Return the job for the embedded runner."""
    return Again(job_id, token, facts, definition_of(payload), tuple(variables))


def _is_lost_login(variable: Variable, auth: str) -> bool:
    return variable.key == AUTH and (bool(auth) or PLACEHOLDER in variable.value)


def _image(image: Mapping[str, Any]) -> Image:
    docker = (image.get("executor_opts") or {}).get("docker") or {}
    return Image(
        name=str(image.get("name") or ""),
        alias=str(image.get("alias") or ""),
        entrypoint=_words(image.get("entrypoint")),
        command=_words(image.get("command")),
        variables=tuple(
            YamlVariable(str(each["key"]), str(each.get("value") or ""), bool(each.get("raw")))
            for each in image.get("variables") or ()
        ),
        pull_policy=_words(image.get("pull_policy")) or (),
        user=str(docker.get("user") or ""),
        platform=str(docker.get("platform") or ""),
    )


def _words(words: Iterable[object] | None) -> tuple[str, ...] | None:
    return tuple(map(str, words)) if words else None
