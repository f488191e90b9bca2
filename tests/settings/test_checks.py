"""What is wrong with one value of the settings."""

from collections.abc import Callable

import pytest

from executor.settings import checks

GOOD: dict[Callable[[str], str], list[str]] = {
    checks.wrong_engine: ["unix:///run/docker.sock", "tcp://host:2376", "tcp://[::1]:2376"],
    checks.wrong_image: ["ruby:3", "$CI_REGISTRY_IMAGE/a", f"sha256:{'a' * 64}"],
    checks.wrong_fixed_image: ["ruby", "registry.example.com:5000/a/b:1"],
    checks.wrong_pull_policy: ["always", "if-not-present", "never"],
    checks.wrong_pattern: ["ruby:*", "!*/kali*", "{a,b}/**"],
    checks.wrong_extra_host: ["git:10.0.0.1", "git:host-gateway", "git:[fd00::1]"],
    checks.wrong_ip: ["10.0.0.1", "fd00::1", "[fd00::1]"],
    checks.wrong_domain: ["example.com", "."],
    checks.wrong_runtime: ["sysbox-runc", "io.containerd.kata.v2"],
    checks.wrong_bind: ["/a:/b", "name:/b:ro", "/a:/b:rw"],
    checks.wrong_argument: ["--debug", "--mtu=1400", "--log-level"],
    checks.wrong_mirror: ["https://mirror.example.com", "http://10.0.0.1:5000/path"],
    checks.wrong_insecure_registry: ["registry.example.com:5000", "10.0.0.0/8", "fd00::/8"],
    checks.wrong_assignment: ["KEY=value", "KEY=", "_a1=b=c"],
}
WRONG: dict[Callable[[str], str], list[str]] = {
    checks.wrong_engine: ["engine", "tcp://host", "tcp://host:0", "ssh://host", "unix://socket"],
    checks.wrong_image: ["Not An Image", ""],
    checks.wrong_fixed_image: ["$IMAGE", "a b"],
    checks.wrong_pull_policy: ["sometimes", ""],
    checks.wrong_pattern: ["", "!", "a[", "{a"],
    checks.wrong_extra_host: ["git", ":10.0.0.1", "git:somewhere", "-a:10.0.0.1"],
    checks.wrong_ip: ["10.0.0", "host"],
    checks.wrong_domain: ["", "a b", ".example.com"],
    checks.wrong_runtime: ["my runtime", "/usr/bin/runc"],
    checks.wrong_bind: ["/a", ":/b", "/a:/b:x", "a/b:/c", "/a:b", "/a:/certs/x", "/a:/var/lib"],
    checks.wrong_argument: ["", "--host=tcp://x", "-H", "--tlsverify", "--data-root"],
    checks.wrong_mirror: [
        "mirror.example.com",
        "https://",
        "https://a?b",
        "ftp://a",
        "https://a:x",
    ],
    checks.wrong_insecure_registry: ["10.0.0.0/x", "a/b", "host:99999", ""],
    checks.wrong_assignment: ["KEY", "1A=b", "A B=c", "=c", "Ä=c"],
}


def cases(values: dict[Callable[[str], str], list[str]]) -> list[tuple[Callable[[str], str], str]]:
    """Return each value with its check."""
    return [(check, value) for check, found in values.items() for value in found]


@pytest.mark.parametrize(("check", "value"), cases(GOOD))
def test_a_good_value_is_not_spoken_of(check: Callable[[str], str], value: str) -> None:
    """A check returns an empty sentence for a value that may stand in the file."""
    assert check(value) == ""


@pytest.mark.parametrize(("check", "value"), cases(WRONG))
def test_a_wrong_value_gets_a_sentence(check: Callable[[str], str], value: str) -> None:
    """A check returns what is wrong, as a part of a sentence without a full stop."""
    sentence = check(value)

    assert len(sentence.split()) >= 3
    assert not sentence.endswith(".")


def test_every_check_is_tried() -> None:
    """A check that is added here has good and wrong values in the tables above."""
    known = {each for name, each in vars(checks).items() if name.startswith("wrong_")}
    known = {each for each in known if each.__module__ == checks.__name__}

    assert known - set(GOOD) == {checks.wrong_allowed_pull_policy}
    assert set(GOOD) == set(WRONG)


@pytest.mark.parametrize(
    ("check", "key"),
    [
        (checks.wrong_pull_policy, "pull_policy"),
        (checks.wrong_allowed_pull_policy, "allowed_pull_policies"),
    ],
)
def test_a_pull_policy_is_refused_in_gitlab_runners_words(
    check: Callable[[str], str], key: str
) -> None:
    """The sentence has the key's own name, as gitlab-runner says it."""
    assert check("x") == (
        f'unsupported {key} config: "x" is not one of: always, if-not-present, never'
    )


def test_the_value_of_a_variable_is_not_repeated() -> None:
    """A mistake beside a secret shows no secret."""
    assert "hunter2" not in checks.wrong_assignment("A B=hunter2")
    assert "hunter2" not in checks.wrong_assignment("hunter2")
