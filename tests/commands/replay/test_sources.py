"""The sources of a job that runs again."""

from pathlib import Path
from typing import Any

import pytest

from executor.commands.replay.sources import fetched_sources, local_sources, repository_of
from executor.local.errors import LocalError
from executor.local.project.checkout import Checkout
from executor.runner.captures import without_login
from tests import git


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a work tree with a commit."""
    directory = tmp_path / "project"
    directory.mkdir()
    git.git(directory, "init", "--quiet", "--initial-branch=main")
    (directory / "a").write_text("a\n")
    git.commit(directory, "Start")
    git.git(directory, "config", "uploadpack.allowAnySHA1InWant", "true")
    return directory


def sha(project: Path) -> str:
    return git.git(project, "rev-parse", "HEAD").strip()


def fetched(payload: dict[str, Any], token: Path, directory: Path) -> Checkout:
    """Fetch what a payload names."""
    return fetched_sources(payload, repository_of({}, payload), token, directory)


def test_a_work_tree(project: Path) -> None:
    """Its last commit counts; that it is not the job's is said."""
    checkout, warning = local_sources(project, {"git_info": {"sha": sha(project)}})
    assert (checkout.sha, warning) == (sha(project), "")

    _, warning = local_sources(project, {"git_info": {"sha": "b" * 40}})
    assert "bbbbbbbb" in warning


def test_no_work_tree(tmp_path: Path) -> None:
    """The sentence names the directory."""
    with pytest.raises(LocalError, match="is not inside a git work tree"):
        local_sources(tmp_path, {})


def test_fetched(project: Path, tmp_path: Path) -> None:
    """The job's commit is fetched from where the job had it."""
    token = tmp_path / "token"
    token.write_text("glpat-secret\n")
    there = tmp_path / "there"
    there.mkdir()
    payload = {"git_info": {"repo_url": f"file://{project}", "sha": sha(project)}}

    assert fetched(payload, token, there).sha == sha(project)
    assert (there / "a").read_text() == "a\n"


def test_what_cannot_be_fetched(project: Path, tmp_path: Path) -> None:
    """Neither the token nor the login in the address is shown."""
    token = tmp_path / "token"
    token.write_text("glpat-secret")
    there = tmp_path / "there"
    there.mkdir()

    for git_info in ({}, {"repo_url": f"file://{project}", "sha": "c" * 40}):
        with pytest.raises(LocalError) as error:
            fetched({"git_info": git_info}, token, there)
        assert "glpat-secret" not in str(error.value)
    with pytest.raises(LocalError, match="cannot be read"):
        fetched({"git_info": {"repo_url": "file:///x", "sha": "c" * 40}}, tmp_path / "no", there)


@pytest.mark.parametrize(
    ("address", "commit"),
    [
        ("file://{}", "--upload-pack=touch {}/written"),
        ("ext::sh -c 'touch {}/written' ://x", "a" * 40),
        ("ssh://-oProxyCommand=x/y", "a" * 40),
    ],
)
def test_captures_of_others(project: Path, tmp_path: Path, address: str, commit: str) -> None:
    """git takes some words for commands."""
    token = tmp_path / "token"
    token.write_text("glpat-secret")
    there = tmp_path / "there"
    there.mkdir()
    git_info = {"repo_url": address.format(project), "sha": commit.format(tmp_path)}

    with pytest.raises(LocalError, match="that git can fetch"):
        fetched({"git_info": git_info}, token, there)

    assert not list(there.iterdir())


def test_the_address_beside_a_payload_counts() -> None:
    """In the payload it is replaced, together with the variable that GitLab calls private."""
    payload = {"git_info": {"repo_url": "placeholder-of-CI_REPOSITORY_URL"}}
    address = "https://git.example.com/g/p.git"

    assert repository_of({"repository": address}, payload) == address
    assert repository_of({}, payload) == ""


def test_addresses() -> None:
    """The job's token is worth nothing any more."""
    assert without_login("https://gitlab-ci-token:x@git.example.com/g/p.git") == (
        "https://git.example.com/g/p.git"
    )
    assert without_login("") == ""
