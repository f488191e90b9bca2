"""Paths in a job's containers: what is wrong with one, and which lies in which."""

import pytest

from executor.notation.paths import clean, is_within, overlap, wrong_directory, wrong_path


@pytest.mark.parametrize("path", ["/builds", "/a/b c/ü", "/certificates", "/var/lib/dockers"])
def test_a_directory_that_may_be_used(path: str) -> None:
    """Nothing is said of a plain directory, also where it begins like one of dind's."""
    assert wrong_directory(path) == ""


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("builds", "'builds' must be an absolute path, starting with /"),
        ("", "'' must be an absolute path, starting with /"),
        ("/a/../b", "'/a/../b' must not contain .."),
        ("/a\n", "'/a\\n' must not contain control characters"),
        ("/", "it must not be the root directory"),
        ("//.", "it must not be the root directory"),
        ("/a//b/./c/", "'/a//b/./c/' must be written '/a/b/c'"),
        ("/certs", "'/certs' covers /certs, which dind uses itself"),
        ("/certs/client", "'/certs/client' covers /certs, which dind uses itself"),
        ("/var", "'/var' covers /var/lib/docker, which dind uses itself"),
    ],
)
def test_a_directory_that_may_not_be_used(path: str, wrong: str) -> None:
    """The sentence quotes the directory and says what it must be instead."""
    assert wrong_directory(path) == wrong


def test_a_path_may_be_written_in_any_way() -> None:
    """A path, unlike a directory, may have doubled slashes and may be the root."""
    assert [wrong_path(each) for each in ("/", "/a//b/", "/certs")] == ["", "", ""]
    assert wrong_path("a") != ""


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("/a", "/a", True),
        ("/a/", "/a//b", True),
        ("/a/b", "/a", True),
        ("/", "/a", True),
        ("/a", "/ab", False),
        ("/a/b", "/a/c", False),
    ],
)
def test_directories_that_overlap(one: str, other: str, *, meet: bool) -> None:
    """Directories overlap where one lies in the other, whichever comes first."""
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


@pytest.mark.parametrize(
    ("path", "plain"),
    [("/a", "/a"), ("//a", "/a"), ("/a/./b//c/", "/a/b/c"), ("/a/../b", "/b"), ("/", "/")],
)
def test_a_clean_path(path: str, plain: str) -> None:
    """Doubled slashes, dots and a slash at the end are dropped."""
    assert clean(path) == plain


def test_what_lies_within() -> None:
    """A directory lies in itself, and what only begins like it lies elsewhere."""
    assert is_within("/a", "/a")
    assert is_within("/a/b", "/a")
    assert not is_within("/ab", "/a")
    assert not is_within("/a", "/a/b")
