"""Whether a job is in the pipeline, when it runs there, and what its rules add.

Pure: what the checkout knows of files comes in as a Tree.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from executor.excerpts import excerpt
from executor.local.errors import PipelineError
from executor.local.pipeline.globs import any_matches
from executor.local.pipeline.model import JobDefinition, Refs
from executor.local.pipeline.rules import Rule, RuleSyntaxError, evaluate

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NO_COMMIT = "0"
_LONGEST_PATTERN = 4096
"""What variables may add to a path; no system has longer ones."""
# What the names of `only:` and `except:` say of where a pipeline comes from.
_SOURCES = {
    "pushes": "push",
    "web": "web",
    "api": "api",
    "chat": "chat",
    "schedules": "schedule",
    "triggers": "trigger",
    "pipelines": "pipeline",
    "merge_requests": "merge_request_event",
    "external": "external",
    "external_pull_requests": "external_pull_request_event",
}


@dataclass(frozen=True, slots=True)
class Tree:
    """What the checkout knows: its files, and those that differ from a commit (None: unknown)."""

    files: Callable[[], tuple[str, ...]]
    changed: Callable[[str], tuple[str, ...] | None]


NO_TREE = Tree(lambda: (), lambda _: None)


def first_match(
    rules: tuple[Rule, ...], variables: Mapping[str, str], tree: Tree = NO_TREE
) -> Rule | None:
    """Return the rule that decides, if any matches."""
    return next((rule for rule in rules if _matches(rule, variables, tree)), None)


def _matches(rule: Rule, variables: Mapping[str, str], tree: Tree) -> bool:
    if rule.expression and not _holds(rule.expression, variables):
        return False
    if rule.changes is not None:
        compare_to = _expanded(rule.compare_to, variables)
        if not _has_changed(rule.changes, compare_to, variables, tree):
            return False
    if rule.exists is None:
        return True
    return any_matches([_expanded(item, variables) for item in rule.exists], tree.files())


def _holds(expression: str, variables: Mapping[str, str]) -> bool:
    """Return the truth of an expression; one of its variables may hold a pattern that is none."""
    try:
        return evaluate(expression, variables)
    except RuleSyntaxError as error:
        raise PipelineError(f"{excerpt(expression)}: {error}") from None


def _has_changed(
    patterns: tuple[str, ...], compare_to: str, variables: Mapping[str, str], tree: Tree
) -> bool:
    """Tell whether the commit changes a file; without one before it, GitLab says that it does."""
    before = compare_to or variables.get("CI_COMMIT_BEFORE_SHA", "")
    if not before.strip(_NO_COMMIT):
        return True
    changed = tree.changed(before)
    if changed is None:
        keyword = "changes:compare_to" if compare_to else "changes"
        message = (
            f'"{keyword}" cannot be decided here, because the checkout does not have the commit '
            f'"{before}"; fetch it, or run this job in GitLab'
        )
        raise PipelineError(message)
    return any_matches([_expanded(item, variables) for item in patterns], changed)


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    left = _LONGEST_PATTERN

    def value(found: re.Match[str]) -> str:
        nonlocal left
        text_of = variables.get(found[1] or found[2], "")
        left -= len(text_of)
        if left < 0:
            message = f'"{excerpt(text)}" is too long with its variables expanded'
            raise PipelineError(message)
        return text_of

    return _VARIABLE.sub(value, text)


def lists_admit(job: JobDefinition, variables: Mapping[str, str], tree: Tree) -> bool:
    """Tell whether `only:` and `except:` let a job in."""
    if job.only is not None and not all(_sections(job.only, variables, tree)):
        return False
    return job.excluded is None or not any(_sections(job.excluded, variables, tree))


def _sections(refs: Refs, variables: Mapping[str, str], tree: Tree) -> list[bool]:
    found = []
    if refs.refs is not None:
        found.append(any(_is_ref(ref, variables) for ref in refs.refs))
    if refs.variables is not None:
        found.append(any(_holds(item, variables) for item in refs.variables))
    if refs.changes is not None:
        found.append(_has_changed(refs.changes, "", variables, tree))
    return found


def _is_ref(ref: str, variables: Mapping[str, str]) -> bool:
    name, _, path = ref.partition("@") if not ref.startswith("/") else (ref, "", "")
    if path and path != variables.get("CI_PROJECT_PATH"):
        return False
    if name == "branches":
        return True
    if name == "tags":
        return False  # There are branches only.
    if name in _SOURCES:
        return variables.get("CI_PIPELINE_SOURCE") == _SOURCES[name]
    branch = variables.get("CI_COMMIT_BRANCH", "")
    if name.startswith("/"):
        try:
            return evaluate(f"$ref =~ {name}", {"ref": branch})
        except RuleSyntaxError:
            message = f"{name} in only or except is not a pattern; write it as /pattern/"
            raise PipelineError(message) from None
    return name == branch
