"""Amounts as an administrator writes them."""

import pytest

from executor.notation import amounts


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024", 1024),
        ("128m", 128 << 20),
        ("1.5g", 3 << 29),
        (".5g", 1 << 29),
        ("5.k", 5 << 10),
        ("2GiB", 2 << 30),
        ("64 KB", 64 << 10),
        ("10b", 10),
        ("1T", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """Sizes are in powers of 1024, whatever the unit's spelling, as for `docker run --memory`."""
    assert amounts.byte_size(text) == size
    assert amounts.swap_size(text) == size


def test_swap_may_be_unlimited() -> None:
    """-1 lifts the limit, as for `docker run --memory-swap`."""
    assert amounts.swap_size("-1") == -1


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("1", 10**9),
        ("0.5", 5 * 10**8),
        ("0.25", 25 * 10**7),
        ("1/3", 333333333),
        ("1/8", 125000000),
        ("0.0001", 100000),
        ("12.3456789012", 12345678901),
        (".5", 5 * 10**8),
        ("5.", 5 * 10**9),
        ("+1.5", 15 * 10**8),
        ("5e-1", 5 * 10**8),
        ("1.25E1", 125 * 10**8),
        ("1e-10", 0),
    ],
)
def test_cpus(text: str, nano: int) -> None:
    """CPUs are rational numbers, as decimals or as fractions, in every spelling that gitlab-runner reads."""
    assert amounts.nano_cpus(text) == nano


@pytest.mark.parametrize(
    ("text", "limits"),
    [("1024", (1024, 1024)), ("1:2", (1, 2)), ("-1", (-1, -1)), ("5:-1", (5, -1))],
)
def test_ulimits(text: str, limits: tuple[int, int]) -> None:
    """A lone number is both the soft and the hard limit."""
    assert amounts.ulimit(text) == limits


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/dev/kvm", ("/dev/kvm", "/dev/kvm", "rwm")),
        ("/dev/a:/dev/b", ("/dev/a", "/dev/b", "rwm")),
        ("/dev/a:/dev/b:r", ("/dev/a", "/dev/b", "r")),
    ],
)
def test_devices(text: str, parts: tuple[str, str, str]) -> None:
    """A device is written as for `docker run --device`."""
    assert tuple(amounts.device(text).values()) == parts


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("all", {"Count": -1}),
        ("2", {"Count": 2}),
        ("count=2", {"Count": 2}),
        ("device=0", {"Count": 0, "DeviceIDs": ["0"]}),
        ('"device=0,2"', {"Count": 0, "DeviceIDs": ["0", "2"]}),
        ("driver=nvidia,count=all", {"Driver": "nvidia", "Count": -1}),
        ('all,"capabilities=utility,video"', {"Count": -1, "Capabilities": [["utility", "video", "gpu"]]}),
        ('1,"options=a=b,c=d"', {"Count": 1, "Options": {"a": "b", "c": "d"}}),
        ("driver=x", {"Driver": "x", "Count": 1}),
    ],
)  # fmt: skip
def test_gpus(text: str, changes: dict[str, object]) -> None:
    """GPUs are written as for `docker run --gpus`."""
    plain: dict[str, object] = {"Driver": "", "Count": 1, "Capabilities": [["gpu"]], "Options": {}}
    assert amounts.gpu_request(text) == plain | changes


@pytest.mark.parametrize(
    "text",
    [
        "99999999999999999g",
        "9223372036854775808",
        "8192p",
        "9" * 99,
        "9" * 5000,
        "1" * 50_000 + "x",
    ],
    ids=lambda text: text[:12],
)
def test_a_size_that_no_engine_counts(text: str) -> None:
    """The engine has 63 bits for it, and a sentence shows only a part of what is longer."""
    with pytest.raises(ValueError, match=r"2\^63 - 1|must look like 512m") as raised:
        amounts.byte_size(text)
    assert len(str(raised.value)) < 300


def test_the_largest_size() -> None:
    """It is still one."""
    assert amounts.byte_size("8191p") == 8191 << 50


@pytest.mark.parametrize(
    "text",
    ["9" * 20, "9" * 5000, f"{'9' * 90}/1", "1e99", "1/" + "0" * 90],
    ids=lambda text: text[:12],
)
def test_cpus_that_no_engine_counts(text: str) -> None:
    """The same for processors."""
    with pytest.raises(ValueError, match=r"2\^63 - 1|must be a number"):
        amounts.nano_cpus(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "9" * 5000, f"1:{'9' * 5000}", "-2", "1:"])
def test_ulimits_that_are_none(text: str) -> None:
    """The same for the limits of processes."""
    with pytest.raises(ValueError, match="must look like 1024"):
        amounts.ulimit(text)


def test_gpus_that_nobody_has() -> None:
    """The same for GPUs."""
    with pytest.raises(ValueError, match="must look like all, 2"):
        amounts.gpu_request("9" * 5000)
