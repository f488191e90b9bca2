"""What is wrong with one value of the settings."""

import pytest

from executor.settings import checks
from tests.checking import Check, Values, checks_of, is_a_sentence, right, wrong

VALUES: Values = {
    checks.wrong_image: (
        ["ruby:3", "$CI_REGISTRY_IMAGE/a", f"sha256:{'a' * 64}"],
        ["Not An Image", ""],
    ),
    checks.wrong_fixed_image: (["ruby", "registry.example.com:5000/a/b:1"], ["$IMAGE", "a b"]),
    checks.wrong_pull_policy: (["always", "if-not-present", "never"], ["sometimes", ""]),
    checks.wrong_pattern: (["ruby:*", "!*/kali*", "{a,b}/**"], ["", "!", "a[", "{a"]),
    checks.wrong_runtime: (
        ["sysbox-runc", "io.containerd.kata.v2"],
        ["my runtime", "/usr/bin/runc"],
    ),
    checks.wrong_bind: (
        ["/a:/b", "name:/b:ro", "/a:/b:rw"],
        ["/a", ":/b", "/a:/b:x", "a/b:/c", "/a:b", "/a:/certs/x", "/a:/var/lib"],
    ),
    checks.wrong_argument: (
        ["--debug", "--mtu=1400", "--log-level"],
        ["", "--host=tcp://x", "-H", "--tlsverify", "--data-root"],
    ),
    checks.wrong_assignment: (
        ["KEY=value", "KEY=", "_a1=b=c"],
        ["KEY", "1A=b", "A B=c", "=c", "Ä=c"],
    ),
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
"""Right and wrong values for each check."""


@pytest.mark.parametrize(("check", "value"), right(VALUES))
def test_a_good_value_is_not_spoken_of(check: Check, value: str) -> None:
    """A check returns an empty sentence for a value that may stand in the file."""
    assert check(value) == ""


@pytest.mark.parametrize(("check", "value"), wrong(VALUES))
def test_a_wrong_value_gets_a_sentence(check: Check, value: str) -> None:
    """A check returns what is wrong, as a part of a sentence without a full stop."""
    assert is_a_sentence(check(value))


def test_every_check_is_tried() -> None:
    """A check that is added here has good and wrong values in the table above."""
    known = checks_of(checks)

    assert known - set(VALUES) == {checks.wrong_allowed_pull_policy}


@pytest.mark.parametrize(
    ("check", "key"),
    [
        (checks.wrong_pull_policy, "pull_policy"),
        (checks.wrong_allowed_pull_policy, "allowed_pull_policies"),
    ],
)
def test_a_pull_policy_is_refused_in_gitlab_runners_words(check: Check, key: str) -> None:
    """The sentence has the key's own name, as gitlab-runner says it."""
    assert check("x") == (
        f'unsupported {key} config: "x" is not one of: always, if-not-present, never'
    )


def test_the_value_of_a_variable_is_not_repeated() -> None:
    """A mistake beside a secret shows no secret."""
    assert "hunter2" not in checks.wrong_assignment("A B=hunter2")
    assert "hunter2" not in checks.wrong_assignment("hunter2")
