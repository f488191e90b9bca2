"""What dockerd is told, as a shell makes its arguments of the plan's."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from executor.plan.dockerd import dockerd_command, registry_arguments, without_shell
from executor.plan.inputs import Facts, Inputs
from executor.plan.transport import Transport
from executor.spec import Surroundings
from tests.builders import some_inputs

TLS = Transport(tls=True, cert_dir="/certs")
POOL = ["--bip=172.17.0.1/17", "--default-address-pool=base=172.17.128.0/17,size=24"]
OPT = "--default-network-opt=bridge=com.docker.network.driver.mtu=1400"
MTU = "[docker]\nnetwork_mtu = 1400\n"
V6 = "[docker]\nenable_ipv6 = true\n"
V6_ARGUMENTS = ["--ipv6", "--fixed-cidr-v6=fda9:a2b3:19f3:1::/64"]

NOTHING_AROUND = Surroundings()


def arguments(
    directory: Path,
    inputs: Inputs,
    *command: str,
    around: Surroundings = NOTHING_AROUND,
    version: str = "28.1.0",
    config: str = "",
    entrypoint: tuple[str, ...] | None = None,
) -> list[str]:
    """Return what an image's program gets: on a dockerd of this version, with this daemon.json."""
    dockerd = directory / "dockerd"
    dockerd.write_text(f"#!/bin/sh\necho 'Docker version {version}, build x'\n")
    dockerd.chmod(0o755)
    iptables = directory / "iptables"
    iptables.write_text(f'#!/bin/sh\necho "$*" >>{directory}/rules\n')
    iptables.chmod(0o755)
    whole, prelude = dockerd_command(inputs, Facts(around), TLS, entrypoint, command)
    script = f"cat() {{ printf '%s' '{config}'; }}\n{prelude}printf '%s\\n' \"$@\""
    done = subprocess.run(
        ["sh", "-c", script, "sh", *whole],
        env={"PATH": f"{directory}:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("settings", "command", "added"),
    [
        ("", (), POOL),
        ("", ("--debug",), POOL),
        (MTU, (), ["--mtu=1400", OPT, *POOL]),
        (MTU, ("--mtu=1300",), [OPT, *POOL]),
        (MTU, ("--default-network-opt=bridge=x=y",), ["--mtu=1400", *POOL]),
        ("", ("--bip=10.1.1.1/24",), POOL[1:]),
        ("", ("-b", "br0"), POOL[1:]),
        ("", ("--default-address-pool=base=10.2.0.0/16,size=24",), POOL[:1]),
        ('[dind]\ncommand = ["--bip=10.1.1.1/24"]', ("--debug",), POOL[1:]),
        ('[docker]\ndns = ["172.17.4.4"]', (), [each.replace("17.", "18.", 1) for each in POOL]),
        (V6, (), [*POOL, *V6_ARGUMENTS]),
        (V6, ("--ipv6", "--fixed-cidr-v6=fd00::/64"), POOL),
        (
            '[dind]\nregistry_mirrors = ["https://m"]\ninsecure_registries = ["r:5000"]',
            ("--registry-mirror=https://mine",),
            [*POOL, "--registry-mirror=https://m", "--insecure-registry=r:5000"],
        ),
    ],
)
def test_what_is_added(
    tmp_path: Path, settings: str, command: tuple[str, ...], added: list[str]
) -> None:
    """Nothing is added that the author or the administrator said in dockerd's own words."""
    inputs = some_inputs(settings=settings)
    found = arguments(tmp_path, inputs, *command)
    explicit = [*inputs.settings.dind.command, *command]
    assert found == [*explicit, *[each.replace("172.172.", "172.") for each in added]]


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ('[dind]\nregistry_mirrors = ["http://172.17.4.4"]', {}),
        ('[dind]\ninsecure_registries = ["172.17.4.4:5000"]', {}),
        ('[dind]\ninsecure_registries = ["172.17.4.0/24"]', {}),
        ("", {"https_proxy": "http://172.17.4.4:3128"}),
    ],
)
def test_addresses_that_dind_needs_stay_in_reach(
    tmp_path: Path, settings: str, values: dict[str, str]
) -> None:
    """A network inside that has them would lead requests astray."""
    inputs = replace(some_inputs(settings=settings), values=values)
    first, second, *_ = arguments(tmp_path, inputs)
    assert [first, second] == [each.replace("172.17.", "172.18.") for each in POOL]


@pytest.mark.parametrize(
    ("config", "left_out"),
    [
        ('{"mtu": 1300}', "--mtu"),
        ('{"bip":"10.0.0.1/24"}', "--bip"),
        ('{"default-address-pools": []}', "--default-address-pool"),
        ('{"default-network-opts": {}}', "--default-network-opt"),
        ('{"registry-mirrors": []}', "--registry-mirror"),
        ('{"insecure-registries": []}', "--insecure-registry"),
    ],
)
def test_an_images_own_configuration_stands(tmp_path: Path, config: str, left_out: str) -> None:
    """dockerd would refuse to start if it got a directive from both."""
    around = Surroundings(1400, mirrors=("https://m",), insecure_registries=("r",))
    inputs = some_inputs()

    everything = arguments(tmp_path, inputs, around=around)
    found = arguments(tmp_path, inputs, around=around, config=config)

    gone = [each for each in everything if each not in found]
    assert [each.partition("=")[0] for each in gone] == [left_out]


def test_an_older_dockerd(tmp_path: Path) -> None:
    """It is not told what it does not know; TCP is held to the MTU in another way."""
    around = Surroundings(mtu=1400)
    inputs = some_inputs(settings=V6)

    assert arguments(tmp_path, inputs, around=around, version="20.10.24+dfsg1") == [
        "--mtu=1400",
        *POOL,
        *V6_ARGUMENTS,
        "--ip6tables",
        "--experimental",
    ]
    assert "--clamp-mss-to-pmtu" in (tmp_path / "rules").read_text()


@pytest.mark.parametrize("version", ["", "unknown"])
def test_a_dockerd_of_no_known_version(tmp_path: Path, version: str) -> None:
    """A version that cannot be read counts as old."""
    assert arguments(tmp_path, some_inputs(), around=Surroundings(mtu=1400), version=version) == [
        "--mtu=1400",
        *POOL,
    ]


def test_the_engines_registries_are_dinds(tmp_path: Path) -> None:
    """The engine's count where the settings name none and do not turn them off."""
    around = Surroundings(mirrors=("https://engines",), insecure_registries=("r:1",))
    mirrors = 'registry_mirrors = ["https://ours"]'
    cases = {
        "": ["--registry-mirror=https://engines", "--insecure-registry=r:1"],
        mirrors: ["--registry-mirror=https://ours", "--insecure-registry=r:1"],
        "inherit_registries = false": [],
    }
    for settings, added in cases.items():
        inputs = some_inputs(settings=f"[dind]\n{settings}")
        assert arguments(tmp_path, inputs, around=around) == [*POOL, *added]


@pytest.mark.parametrize(
    ("entrypoint", "command"),
    [(("/my.sh",), ("--x",)), (None, ("sh", "-c", "exec dockerd")), (("",), ("dockerd-x",))],
)
def test_another_program_is_the_authors_business(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...]
) -> None:
    """The program gets exactly what was asked for."""
    assert dockerd_command(some_inputs(settings=MTU), Facts(), TLS, entrypoint, command) == (
        command,
        "",
    )


@pytest.mark.parametrize(
    ("entrypoint", "command", "expected"),
    [
        (("sh", "-c"), ("dockerd-entrypoint.sh",), (("dockerd-entrypoint.sh",), ())),
        (("/bin/sh", "-c"), ("exec dockerd --debug",), (("dockerd",), ("--debug",))),
        (("sh", "-c"), ("sleep 1; dockerd",), None),
        (("sh", "-c"), ("dockerd-entrypoint.sh $MORE",), None),
        (("sh", "-c"), ("dockerd-entrypoint.sh & wait",), None),
        (("sh", "-c"), ("dockerd-entrypoint.sh", "a"), None),
        (("sh", "-x"), ("dockerd-entrypoint.sh",), None),
        (("env", "-c"), ("dockerd-entrypoint.sh",), None),
        (("sh", "-c"), ("",), None),
        (("sh", "-c"), ("/start.sh",), None),
        (None, ("dockerd-entrypoint.sh",), None),
        (("dockerd-entrypoint.sh",), (), None),
    ],
)
def test_a_shell_that_only_starts_dockerd(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...], expected: object
) -> None:
    """It is as if dockerd had been named; whatever else a shell does stays as it is."""
    assert without_shell(entrypoint, command) == (expected or (entrypoint, command))


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--registry-mirror=http://m:5000", "--debug"], ["--registry-mirror=http://m:5000"]),
        (["--registry-mirror", "http://m:5000"], ["--registry-mirror=http://m:5000"]),
        (
            ["dockerd", "--insecure-registry=r:5000", "--insecure-registry", "10.0.0.0/8"],
            ["--insecure-registry=r:5000", "--insecure-registry=10.0.0.0/8"],
        ),
        (
            [
                "sh",
                "-c",
                "update-ca-certificates; dockerd-entrypoint.sh --registry-mirror='http://m'",
            ],
            ["--registry-mirror=http://m"],
        ),
        (["dockerd-entrypoint.sh --insecure-registry=r; true"], ["--insecure-registry=r"]),
        # what is none, or is not known, would end dockerd
        (["--registry-mirror"], []),
        (["--registry-mirror=$MIRROR", "--insecure-registry=", "--registry-mirror=m"], []),
        (["--host=tcp://0.0.0.0:2375", "--data-root=/x", "--authorization-plugin=p"], []),
        ([], []),
    ],
)
def test_what_is_kept_of_a_command_that_is_replaced(words: list[str], kept: list[str]) -> None:
    """It is where images come from, however it is written, and nothing else."""
    assert registry_arguments(words) == kept
