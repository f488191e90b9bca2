"""What is wrong with one value of the settings that shape containers."""

from collections.abc import Callable

import pytest

from executor.settings import container_checks as checks

VALUES: dict[Callable[[str], str], tuple[list[str], list[str]]] = {
    checks.wrong_size: (["512m", "1.5g"], ["much", "-1", ""]),
    checks.wrong_swap: (["512m", "-1"], ["-2", ""]),
    checks.wrong_cpus: (["0.5", "1/3"], ["two", "-1", ""]),
    checks.wrong_cpuset: (["0", "0-3", "0,2-4"], ["0-", "a", ""]),
    checks.wrong_ulimit: (["1024", "1:2", "-1"], ["many", "1:2:3", ""]),
    checks.wrong_ulimit_name: (["nofile", "core"], ["files", ""]),
    checks.wrong_cgroup: (["/jobs", "jobs.slice"], ["/a/../b", "a b", "a\n"]),
    checks.wrong_hostname: (["a", "build-1.example"], ["-a", "a-", "a" * 64, ""]),
    checks.wrong_group: (["docker", "999", "a.b"], ["-a", "a b", ""]),
    checks.wrong_capability: (["NET_ADMIN", "ALL"], ["SYS-ADMIN", ""]),
    checks.wrong_security_option: (
        ["no-new-privileges", "no-new-privileges:true", "apparmor=x", "seccomp=/a", "seccomp={}"],
        ["apparmour=x", "label", "label=", "seccomp=profile.json", ""],
    ),
    checks.wrong_device: (["/dev/kvm", "/dev/a:/dev/b:r"], ["kvm", "/dev/a:/dev/b:x", ""]),
    checks.wrong_device_rule: (["c 10:232 rwm", "a *:* r"], ["c", "x 1:2 r", ""]),
    checks.wrong_gpus: (["all", "2", "device=0"], ["some", "a=b"]),
    checks.wrong_sysctl: (["net.core.somaxconn"], ["a b", ""]),
    checks.wrong_volumes_from: (["data", "data:ro"], ["data:rx", "-a", ""]),
    checks.wrong_pid_mode: (["host", "container:a"], ["service", "container:", ""]),
    checks.wrong_ipc_mode: (["none", "private", "shareable", "host"], ["x", ""]),
    checks.wrong_mac_address: (["02:42:ac:11:00:02"], ["1:2", "01:42:ac:11:00:02", ""]),
    checks.wrong_tmpfs: (["/run", "/a/b"], ["/", "a", "/a/../b", ""]),
    checks.wrong_label: (["team", "com.example.a"], ["dind-executor.job", "", "a\n"]),
    checks.wrong_log_option: (["env", "labels"], ["max-size", ""]),
}


@pytest.mark.parametrize(
    ("check", "value"), [(check, value) for check, (good, _) in VALUES.items() for value in good]
)
def test_a_good_value_is_not_spoken_of(check: Callable[[str], str], value: str) -> None:
    """A check returns an empty sentence for a value that may stand in the file."""
    assert check(value) == ""


@pytest.mark.parametrize(
    ("check", "value"), [(check, value) for check, (_, wrong) in VALUES.items() for value in wrong]
)
def test_a_wrong_value_gets_a_sentence(check: Callable[[str], str], value: str) -> None:
    """A check returns what is wrong, as a part of a sentence without a full stop."""
    sentence = check(value)

    assert len(sentence.split()) >= 3
    assert not sentence.endswith(".")


def test_every_check_is_tried() -> None:
    """A check that is added has good and wrong values in the table above."""
    known = {each for name, each in vars(checks).items() if name.startswith("wrong_")}

    assert known == set(VALUES)
