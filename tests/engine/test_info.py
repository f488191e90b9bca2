"""What an engine says of itself, asked once."""

from executor.engine.docker import Engine
from tests.engine.stub import StubEngine, http, refusal


def test_one_answer_serves_all_who_ask(stub: StubEngine) -> None:
    """Whoever asks for the disks and for the networks makes one request."""
    stub.on("GET", "/networks", http(200, []))
    stub.on("GET", "/info", http(200, {"Name": "host-1", "DockerRootDir": "/data"}))
    engine = Engine.at(stub.host, "", tls_verify=False)

    assert engine.kept.stores().data_root == "/data"
    assert engine.survey().engine_name == "host-1"
    assert engine.survey().engine_name == "host-1"

    assert [each.path for each in stub.received].count("/info") == 1


def test_a_refusal_is_no_answer(stub: StubEngine) -> None:
    """An engine that was only just starting is asked again."""
    stub.on("GET", "/info", refusal(500, "not yet"))
    engine = Engine.at(stub.host, "", tls_verify=False)
    assert engine.kept.stores().data_root == ""
    stub.on("GET", "/info", http(200, {"DockerRootDir": "/data"}))

    assert engine.kept.stores().data_root == "/data"
