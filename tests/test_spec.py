"""What will exist for a job, as plain data."""

import pytest

from executor.spec import Certificates, ContainerSpec, FileSpec

SECRET = "hunter2"


def a_container(**changes: object) -> ContainerSpec:
    """Return a container with some fields set."""
    return ContainerSpec("name", "image", {}, "network", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spec",
    [
        a_container(environment={"A": SECRET}),
        a_container(secret_environment={"A": SECRET}),
        a_container(files=(FileSpec("/a", SECRET.encode()),)),
        Certificates(b"ca", b"server", SECRET.encode(), b"client", SECRET.encode()),
    ],
    ids=lambda spec: type(spec).__name__,
)
def test_no_secret_shows_in_a_repr(spec: object) -> None:
    """A plan may be printed: values of variables, files and keys are left out."""
    assert SECRET not in repr(spec)


@pytest.mark.parametrize(
    ("changes", "receives"),
    [
        ({}, False),
        ({"environment": {"A": "b"}}, False),
        ({"secret_environment": {"A": "b"}}, True),
        ({"files": (FileSpec("/a", b""),)}, True),
        ({"runs_scripts": True}, True),
        ({"prelude": "umask 0"}, True),
    ],
)
def test_what_a_container_receives(changes: dict[str, object], *, receives: bool) -> None:
    """Something is sent to its stdin for files, secrets, scripts and commands of ours."""
    assert a_container(**changes).receives is receives


@pytest.mark.parametrize(
    ("host", "privileged"),
    [({}, False), ({"Privileged": False}, False), ({"Privileged": True}, True)],
)
def test_a_privileged_container(host: dict[str, object], *, privileged: bool) -> None:
    """The engine's own word for it counts."""
    assert a_container(host=host).privileged is privileged
