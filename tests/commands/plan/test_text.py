"""The plan as a person reads it."""

from executor.commands.plan.command import Look, whole
from executor.commands.plan.facts import EngineFacts
from executor.commands.plan.text import lines
from executor.plan.credentials import Catalogue, Entry
from tests.builders import a_login, a_service, some_inputs


def test_lines() -> None:
    """Images, containers, daemon, network, volumes, logins, and what was taken for granted."""
    inputs = some_inputs(
        settings='[docker]\nmemory = "2g"',
        services=[a_service("postgres:16", alias="db")],
        catalogue=Catalogue((Entry("registry.example.com", a_login(), "job payload"),)),
    )
    look = Look(inputs, EngineFacts(), ("The engine was not asked.",))

    text = "\n".join(lines(whole(look, {"docker": {"memory": "2g"}})))

    for part in (
        "postgres:16 for service-0, named by the job, pull policy always, anonymously",
        "Container build\n  image: docker:20.10.16",
        "  limit Memory: 2147483648  <- `[docker] memory`",
        "  names: postgres, db",
        "  privilege Privileged: True  <- `[dind] privileged`, which is not set",
        "Docker daemon: no service is one, and each job gets one",
        "  TLS: yes",
        "  addresses: chosen by the Docker Engine",
        "-builds, removed with the job",
        "  registry.example.com from job payload",
        "Taken for granted\n  The engine was not asked.",
    ):
        assert part in text


def test_no_daemon() -> None:
    """A job without one says what decides that."""
    settings = '[dind]\nmode = "service"'
    look = Look(some_inputs(settings=settings), EngineFacts(), ())

    text = "\n".join(lines(whole(look, {"dind": {"mode": "service"}})))

    assert "No Docker daemon  <- `[dind] mode`" in text
