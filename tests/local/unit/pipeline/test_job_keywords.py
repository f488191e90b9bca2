"""What a job keeps, waits for and survives: how its keywords are read."""

import pytest

from executor.local.pipeline.model import (
    Cache,
    Environment,
    Need,
    Retry,
)
from tests.local.unit.pipeline.reading import assert_mistake, job


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{paths: [a]}", (Cache(paths=("a",)),)),
        ("[]", ()),
        ("{}", ()),
        (
            """{key: $CI_COMMIT_REF_SLUG, paths: [a], policy: pull, when: always,
            untracked: true, fallback_keys: [b, c], unprotect: true}""",
            (
                Cache(
                    key="$CI_COMMIT_REF_SLUG",
                    paths=("a",),
                    policy="pull",
                    when="always",
                    untracked=True,
                    fallback_keys=("b", "c"),
                ),
            ),
        ),
        (
            "[{key: 1, paths: [a]}, {key: {files: [x.lock, '*.txt'], prefix: p}, paths: [b]}]",
            (
                Cache(key="1", paths=("a",)),
                Cache(key="p", key_files=("x.lock", "*.txt"), paths=("b",)),
            ),
        ),
        ("{key: {files_commits: [x]}, policy: $P}", (Cache("", ("x",), policy="$P"),)),
    ],
)
def test_caches(text: str, expected: tuple[Cache, ...]) -> None:
    """A job has one cache or a list, and keys are texts or come from files."""
    assert expected == job(f"cache: {text}").caches


def test_needs_and_dependencies() -> None:
    """A need is a name or more, and an empty list differs from no list."""
    others = "a: {script: [x], stage: build}\nb: {script: [x], stage: build}"
    read = job("needs: [a, {job: b, artifacts: false, optional: true}], dependencies: [a]", others)
    assert read.needs == (Need("a"), Need("b", artifacts=False, optional=True))
    assert read.dependencies == ("a",)
    assert job("needs: []").needs == ()
    assert job("allow_failure: false").needs is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Retry(0, ("always",))),
        ("2", Retry(2, ("always",))),
        ("{max: 1}", Retry(1, ("always",))),
        ("{max: 1, when: script_failure}", Retry(1, ("script_failure",))),
        (
            "{max: 2, when: [runner_system_failure, job_execution_timeout], exit_codes: 137}",
            Retry(2, ("runner_system_failure", "job_execution_timeout"), (137,)),
        ),
        ("{max: 2, exit_codes: [1, 255]}", Retry(2, (), (1, 255))),
    ],
)
def test_retry(text: str, expected: Retry) -> None:
    """A number allows any failure, and exit codes alone allow nothing else."""
    assert expected == job(f"retry: {text}").retry


@pytest.mark.parametrize(
    ("text", "exit_code", "expected"),
    [
        ("true", 1, True),
        ("false", 1, False),
        ("{exit_codes: 3}", 3, True),
        ("{exit_codes: 3}", 1, False),
        ("{exit_codes: [3, 4]}", 4, True),
        ("{exit_codes: [3, 4]}", 0, False),
    ],
)
def test_allow_failure(text: str, exit_code: int, expected: object) -> None:
    """A job may fail in any way, or with some exit codes."""
    assert job(f"allow_failure: {text}").may_fail_with(exit_code) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("review/$CI_COMMIT_REF_SLUG", Environment("review/$CI_COMMIT_REF_SLUG")),
        (
            "{name: a, url: 'https://$H', action: verify, deployment_tier: staging}",
            Environment("a", "https://$H", "verify", "staging"),
        ),
        ("{name: a, on_stop: job, auto_stop_in: 1 week}", Environment("a", on_stop="job")),
    ],
)
def test_an_environment(text: str, expected: Environment) -> None:
    """An environment is a name, or a mapping with more about it."""
    assert job(f"environment: {text}").environment == expected


@pytest.mark.parametrize(
    ("text", "others", "words"),
    [
        ("cache: {paths: a}", "", [":cache:paths", "a list"]),
        ("cache: {key: a/b}", "", [":cache:key", '"a/b"']),
        ("cache: {key: ..}", "", ['".."']),
        ("cache: {key: {files: []}}", "", [":key:files", "one to 2"]),
        ("cache: {key: {files: [a], files_commits: [b]}}", "", [":key", "either"]),
        ("cache: {policy: never}", "", ['"never"', "pull-push"]),
        ("cache: {path: [a]}", "", ['"path"']),
        ("cache: [{}, {}, {}, {}, {}]", "", [":cache", "at most 4"]),
        ("cache: {fallback_keys: [a, b, c, d, e, f]}", "", [":fallback_keys", "at most 5"]),
        ("needs: [{job: a, project: b}]", "", [":needs:0", '"project"']),
        ("needs: early", "early: {script: [x], stage: build}", [":needs", "a list"]),
        ("retry: 3", "", [":retry", "from 0 to 2"]),
        ("retry: {max: 1, when: bad_luck}", "", ['"bad_luck"', "script_failure"]),
        ("retry: {times: 1}", "", ['"times"']),
        ("allow_failure: {exit_codes: many}", "", [":exit_codes", "a string"]),
        ("allow_failure: {codes: 1}", "", ['"codes"']),
        ("timeout: soon", "", [":timeout", '"soon"', "90 minutes"]),
        ("environment: {name: a, naem: b}", "", [":environment", '"naem"', "deployment_tier"]),
        ("environment: {name: a, naem: {}}", "", [":environment", '"naem"']),
        ("environment: {url: a}", "", [":environment:name", "nothing"]),
        ("environment: {name: a, action: go}", "", [":environment:action", '"go"', "verify"]),
        ("environment: {name: a, deployment_tier: top}", "", [":deployment_tier", '"top"']),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, others: str, words: list[str]) -> None:
    """The sentence has the place and what is wrong there."""
    assert_mistake(lambda: job(text, others), ['ci.yml: job "', *words])
