"""What GitLab and registries answer, in cases beside those of the table."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.commands.doctor.table import CHECKS
from executor.commands.doctor.work import judged
from tests.commands.doctor.faults import answering, metrics, registered
from tests.commands.doctor.hosts import Host
from tests.engine.stub import StubEngine, http, refusal, stub_engine

LISTENS = registered("concurrent = 2", 'concurrent = 2\nlisten_address = "0.0.0.0:9252"')


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine that has each image."""
    with stub_engine(tmp_path) as stub:
        stub.on("GET", "/distribution/", http(200, {"Descriptor": {}}))
        yield stub


def levels(host: Host, engine: StubEngine) -> list[tuple[str, str]]:
    """Return what is found of registries."""
    answering({})(host)
    facts = replace(host.facts(), address=engine.host)
    facts = replace(
        facts,
        settings=facts.settings.changed(docker=facts.settings.docker.changed(host=engine.host)),
    )
    (check,) = (each for each in CHECKS if each.id == "registry")
    return [(each.level.value, each.found) for each in judged(check, facts)]


def test_images_that_the_engine_gets_pass(tmp_path: Path, engine: StubEngine) -> None:
    """The engine is asked for the description of each image of the settings, and nothing is pulled."""
    found = levels(Host(tmp_path / "host", settings='[docker]\nimage = "a.example/b:1"\n'), engine)

    assert [level for level, _ in found] == ["ok"]
    assert engine.asked("GET", "/distribution/a.example/b:1/json")
    assert {each.method for each in engine.received} == {"GET"}


def test_an_image_that_the_engine_does_not_get_fails(tmp_path: Path, engine: StubEngine) -> None:
    """The finding quotes why the registry does not give it."""
    engine.on(
        "GET", "/distribution/a.example", refusal(401, "unauthorized: authentication required")
    )
    found = levels(Host(tmp_path / "host", settings='[docker]\nimage = "a.example/b:1"\n'), engine)

    assert [level for level, _ in found] == ["fail"]
    assert "a.example/b:1: unauthorized" in found[0][1]


def test_requests_that_gitlab_accepts_outweigh_refused_ones(tmp_path: Path) -> None:
    """A token that worked once since gitlab-runner's start is good."""
    answer = metrics("403")._replace(body=metrics("403").body + metrics("201").body)
    host = Host(tmp_path)
    LISTENS(host)
    answering({"127.0.0.1:9252/metrics": answer})(host)

    assert [each.level for each in host.found("gitlab")] == ["ok"]


def test_a_token_that_nobody_counts_is_not_judged(tmp_path: Path) -> None:
    """Without `listen_address`, or without an answer there, the check says that it does not know."""
    host = Host(tmp_path)
    answering({})(host)
    assert [each.level for each in host.found("gitlab")] == ["ok", "skip"]

    LISTENS(host)
    answering({"/metrics": OSError("refused")})(host)
    assert [each.level for each in host.found("gitlab")] == ["ok", "skip"]


def test_nobody_is_asked_without_online(tmp_path: Path) -> None:
    """Online checks that are named without --online are skipped."""
    host = Host(tmp_path)

    for check in ("gitlab", "registry", "mirror"):
        assert [each.level for each in host.found(check)] == ["skip"], check
