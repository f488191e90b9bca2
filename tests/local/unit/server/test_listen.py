"""Where the server listens."""

from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.server.listen import engine_of, gateway_of, listen_address
from tests.local.conftest import Workbench
from tests.rig.state import Rig


@pytest.mark.parametrize(
    ("wanted", "expected"), [("10.0.0.1", ("10.0.0.1", 0)), ("10.0.0.1:8080", ("10.0.0.1", 8080))]
)
def test_an_address_is_taken_as_given(wanted: str, expected: tuple[str, int]) -> None:
    """An address without a port means any free port, and no engine is asked."""
    assert expected == listen_address(wanted, engine="unix:///none")


def test_an_engine_that_is_not_there_is_named_with_what_to_do(bench: Workbench) -> None:
    """The error says to start the engine or to name an address."""
    bench.pipeline("job: {script: [x]}")
    done = bench.run("--listen=", DOCKER_HOST="unix:///none/there.sock")
    assert done.exit_code == 2
    assert done.stderr.startswith("dind-executor local: the Docker Engine at ")
    assert done.stderr.endswith(
        "; start it, check `host` in the settings, or name an address of this host that containers"
        " can reach with --listen\n"
    )
    assert done.calls == []


def test_the_default_is_the_bridge_gateway_of_the_engine(rig: Rig) -> None:
    """The gateway is an address of this host, where a server can listen."""
    host, port = listen_address("", engine=rig.engine_host)
    assert port == 0
    assert len(host.split(".")) == 4


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], ""),
        ([{"Subnet": "172.17.0.0/16"}], "172.17.0.1"),
        ([{"Subnet": "fd00::/64"}], ""),
        ([{"Gateway": "fd00::1"}, {"Gateway": "172.17.0.1"}], "172.17.0.1"),
    ],
)
def test_only_an_ipv4_gateway_will_do(settings: list[dict[str, str]], expected: str) -> None:
    """Docker 20.10 leaves it out where it has made the bridge since it started."""
    assert expected == gateway_of(settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[docker]\nhost = "unix:///x"', "unix:///x"),
        ("[docker]\n", ""),
        ("docker = 1", ""),
        ("[docker]\nhost = 1", ""),
        ("[", ""),
    ],
)
def test_the_engine_is_the_one_of_the_settings(tmp_path: Path, text: str, expected: str) -> None:
    """Settings with mistakes name no engine, as the config hook reports them."""
    path = tmp_path / "settings.toml"
    path.write_text(text)
    assert expected == engine_of(path)
    assert engine_of(None) == ""
    assert engine_of(tmp_path / "none") == ""


@pytest.mark.parametrize("port", ["9" * 5000, "65536", "", "x", "\N{SUPERSCRIPT TWO}"])
def test_a_port_that_is_none(port: str) -> None:
    """The sentence says so, and shows only a part of it."""
    with pytest.raises(LocalError, match="is not a port") as raised:
        listen_address(f"127.0.0.1:{port}", engine="")
    assert len(str(raised.value)) < 600
