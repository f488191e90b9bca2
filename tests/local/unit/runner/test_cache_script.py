"""The scripts of caches, run by a real shell with a gitlab-runner that tells its calls."""

from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.pipeline.model import Cache
from executor.local.project.assignment import Assignment
from executor.local.project.variables import Variable
from executor.local.runner import cache_script
from executor.local.runner.outcome import SystemFailure
from tests.local.samples import an_assignment
from tests.local.unit.runner.scripts import a_context, run

CLIENT = """#!/bin/sh
[ "$1" != --version ] || exit 0
printf '<%s>' "$@"
echo
case "$*" in *"$FOUND"*) exit 0 ;; esac
exit 1
"""


def ran(tmp_path: Path, script: str, found: str = "nothing") -> list[str]:
    """Return what a script prints whose gitlab-runner succeeds where a text is in its call."""
    client = tmp_path / "tools" / "gitlab-runner"
    client.parent.mkdir(exist_ok=True)
    client.write_text(CLIENT)
    client.chmod(0o755)
    done = run(script, PATH=f"{client.parent}:/usr/bin:/bin", FOUND=found)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def a_job(cache: Cache, **given: str) -> Assignment:
    return an_assignment(*(Variable(*item) for item in given.items()), caches=(cache,))


def test_keys_are_tried_one_after_the_other(tmp_path: Path) -> None:
    """The script tries the cache's key, its fallback keys and CACHE_FALLBACK_KEY."""
    cache = Cache(key="$NAME", paths=("a",), fallback_keys=("old-$NAME",))
    assignment = a_job(cache, NAME="it's me", CACHE_FALLBACK_KEY="last/ ")
    script = cache_script.restore_cache(a_context(tmp_path, assignment))
    tried = [line for line in ran(tmp_path, script) if line.startswith("Checking")]
    keys = ("it's me-non_protected", "old-it's me-non_protected", "last")
    assert tried == [f"Checking cache for {key}..." for key in keys]
    lines = ran(tmp_path, script, found="old-")
    assert lines[-1] == "Successfully extracted cache"
    assert sum(line.startswith("<") for line in lines) == 2


def test_a_protected_branchs_caches_are_nobodys_fallback(tmp_path: Path) -> None:
    """A CACHE_FALLBACK_KEY with the reserved suffix is not tried."""
    assignment = a_job(Cache(paths=("a",)), CACHE_FALLBACK_KEY="main-protected")
    script = cache_script.restore_cache(a_context(tmp_path, assignment))
    assert sum(line.startswith("Checking") for line in ran(tmp_path, script)) == 1


def test_an_archive_is_saved_beside_the_project_and_on_the_server(tmp_path: Path) -> None:
    """Its file is a path from the project; its address has the job's token."""
    assignment = a_job(Cache(key="a key", paths=("x y", "z"), untracked=True))
    script = cache_script.archive_cache(a_context(tmp_path, assignment))
    file = "../../cache/a key-non_protected/cache.zip"
    call = f"<cache-archiver><--file><{file}><--timeout><10><--path><x y><--path><z><--untracked>"
    expected = ["Creating cache a key-non_protected...", call, "Created cache"]
    assert ran(tmp_path, script, found="cache-archiver") == expected
    served = replace(assignment, facts=replace(assignment.facts, has_cache_server=True))
    script = cache_script.archive_cache(a_context(tmp_path, served))
    address = "http://172.17.0.1:8080/cache/a%20key-non_protected?token=glcbt-token"
    lines = ran(tmp_path, script)
    assert lines[1:] == [f"{call}<--url><{address}>", "Failed to create cache"]


@pytest.mark.parametrize(
    ("policy", "restores", "saves"),
    [("pull", True, False), ("push", False, True), ("pull-push", True, True), ("$P", False, True)],
)
def test_the_policy_says_which_way_a_cache_goes(
    tmp_path: Path, policy: str, restores: object, saves: object
) -> None:
    """It may be a variable; what does not happen is told."""
    context = a_context(tmp_path, a_job(Cache(paths=("a",), policy=policy), P="push"))
    restored = ran(tmp_path, cache_script.restore_cache(context))
    assert ("Not downloading cache default-non_protected due to policy" not in restored) is restores
    saved = ran(tmp_path, cache_script.archive_cache(context))
    assert ("Not uploading cache default-non_protected due to policy" not in saved) is saves


def test_an_unknown_policy_is_a_failure(tmp_path: Path) -> None:
    """The failure has gitlab-runner's own words."""
    context = a_context(tmp_path, a_job(Cache(paths=("a",), policy="$P"), P="sometimes"))
    with pytest.raises(SystemFailure, match="unknown cache policy sometimes for default"):
        cache_script.restore_cache(context)
