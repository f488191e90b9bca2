"""What the engine is asked to create."""

import json
from dataclasses import replace

import pytest

from executor.engine.docker import Engine
from executor.spec import ContainerSpec, ImageFacts
from tests.engine.samples import NEW, SIDECAR, SPEC
from tests.engine.stub import (
    StubEngine,
    http,
)

DIND = ImageFacts(NEW, ("dockerd-entrypoint.sh",), ("--default",))


def created(stub: StubEngine, spec: ContainerSpec, image: ImageFacts) -> dict[str, object]:
    """Return what the engine is asked to create."""
    stub.on("POST", "/containers/create", http(201, {"Id": "new"}))
    Engine(stub.api()).create(spec, image)
    return stub.asked("POST", "/containers/create")[-1].json()


def test_a_container_is_made_from_what_was_pulled(stub: StubEngine) -> None:
    """The image goes by its id, and the container is not privileged unless its spec says so."""
    request = created(stub, SPEC, ImageFacts(NEW))

    assert request["Image"] == NEW
    assert "Entrypoint" not in request
    host = request["HostConfig"]
    assert isinstance(host, dict)
    assert host["Privileged"] is False
    assert host["LogConfig"] == {"Type": "none"}


def test_files_never_stand_in_a_request(stub: StubEngine) -> None:
    """`docker inspect` shows what was asked for; the files come later, through stdin."""
    request = created(stub, SIDECAR, DIND)

    assert "hunter2" not in json.dumps(request)
    assert "key.pem" not in json.dumps(request)
    assert request["OpenStdin"] is True


@pytest.mark.parametrize(
    ("entrypoint", "command", "program"),
    [
        # as the engine puts entrypoint and command of image and request together
        (None, (), ["dockerd-entrypoint.sh", "--default"]),
        (None, ("--mtu=1400",), ["dockerd-entrypoint.sh", "--mtu=1400"]),
        (("dockerd",), (), ["dockerd"]),
        (("dockerd",), ("--debug",), ["dockerd", "--debug"]),
        # an empty entrypoint clears the image's own
        (("",), ("dockerd", "--debug"), ["dockerd", "--debug"]),
    ],
)
def test_a_container_with_files_becomes_its_program(
    stub: StubEngine,
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
    program: list[str],
) -> None:
    """The receiver stands in front of what the engine would have run."""
    spec = ContainerSpec(
        name="job-dind",
        image="docker:dind",
        labels={},
        network="job",
        entrypoint=entrypoint,
        command=command,
        files=SIDECAR.files,
    )

    request = created(stub, spec, DIND)

    started = request["Entrypoint"]
    assert isinstance(started, list)
    assert started[:2] == ["sh", "-c"]
    assert started[3:] == ["sh", *program]
    assert request["Cmd"] is None


SERVICE = ContainerSpec("job-service-0", "s", {}, "job", secret_environment={"A": "hunter2"})


@pytest.mark.parametrize(
    ("shown", "image", "program"),
    [
        ({"B": "1"}, ("C=2",), ["serve"]),
        ({"a.b": "1 2", "UID": "7"}, ("my-c=x=y", "_=z", "bare"), ["my-c=x=y", "a.b=1 2", "UID=7"]),
        ({"a.b": "mine"}, ("a.b=image's",), ["a.b=mine"]),
    ],
)
def test_a_service_keeps_the_variables_that_our_shell_drops(
    stub: StubEngine, shown: dict[str, str], image: tuple[str, ...], program: list[str]
) -> None:
    """They are given anew behind it; all of them show in the configuration anyway."""
    facts = ImageFacts(NEW, (), ("serve",), environment=image)

    request = created(stub, replace(SERVICE, environment=shown), facts)

    started = request["Entrypoint"]
    assert isinstance(started, list)
    wanted = program if program == ["serve"] else ["env", *program, "serve"]
    assert started[4:] == wanted
    assert "hunter2" not in json.dumps(request)


def test_a_service_without_secrets_has_no_shell_in_front(stub: StubEngine) -> None:
    """Its image starts as it is."""
    facts = ImageFacts(NEW, (), ("serve",), environment=("my-c=x",))

    request = created(stub, replace(SERVICE, secret_environment={}), facts)

    assert "Entrypoint" not in request


def test_a_container_without_a_program_is_the_engines_to_refuse(stub: StubEngine) -> None:
    """An empty entrypoint and no command leave nothing to run: the engine says so, as ever."""
    spec = ContainerSpec("job-dind", "d", {}, "job", entrypoint=("",), files=SIDECAR.files)

    request = created(stub, spec, DIND)

    assert (request["Entrypoint"], request["Cmd"]) == ([""], None)


@pytest.mark.parametrize(
    ("entrypoint", "takes"),
    [
        (["sh", "-c"], True),
        (["/bin/bash", "-l", "-c"], True),
        (["bash", "--login", "-c"], True),
        (["sh", "-e", "-c"], True),
        (["/usr/bin/env", "bash", "-elc"], True),
        (["bash", "-euo", "pipefail", "-c"], True),
        (["bash", "-o", "pipefail", "-c", "-l"], True),
        (["bash", "--rcfile", "/x", "-ic"], True),
        (["bash", "+e", "-c", "--"], True),
        (["sh"], False),
        (["sh", "-e"], False),
        (["sh", "-c", "prepare"], False),
        (["sh", "-c", "/tool -c"], False),
        (["bash", "-co"], False),
        (["bash", "--rcfile", "-c"], False),
        (["tool", "-c"], False),
        (["chroot", "/x", "sh", "-c"], True),
    ],
)
def test_a_shell_that_takes_commands_of_one_word(
    stub: StubEngine, entrypoint: list[str], *, takes: bool
) -> None:
    """It gets the keeper's command as that word; any other entrypoint, as words."""
    image = ImageFacts(NEW, tuple(entrypoint))
    request = created(stub, replace(SPEC, command=("sh", "-c", "a program")), image)

    assert request["Cmd"] == (
        ["exec 'sh' '-c' 'a program'"] if takes else ["sh", "-c", "a program"]
    )
