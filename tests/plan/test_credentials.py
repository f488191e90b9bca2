"""Registry credentials: their sources, their order, and what a job's docker client is given."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from executor.notation.docker_config import ConfigFile, Credential
from executor.plan.credentials import (
    Catalogue,
    Entry,
    client_config,
    helper_advice,
    image_path,
    read_catalogue,
    resolve,
)
from executor.runner.payload import RegistryLogin
from tests.logins import (
    DIGEST,
    HOST_PATH,
    SECRET,
    auth,
    auths,
    found_user,
    helper_with,
    no_helper,
    read,
)


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("ruby", "docker.io/ruby"),
        ("ruby:3.3", "docker.io/ruby"),
        (f"ruby@{DIGEST}", "docker.io/ruby"),
        (f"ruby:3.3@{DIGEST}", "docker.io/ruby"),
        ("someone/ruby:3", "docker.io/someone/ruby"),
        ("docker.io/someone/ruby", "docker.io/someone/ruby"),
        ("DOCKER.io/someone/ruby", "docker.io/someone/ruby"),
        ("index.docker.io/someone/ruby", "docker.io/someone/ruby"),
        ("registry-1.docker.io/library/ruby", "docker.io/library/ruby"),
        ("docker.io/ruby", "docker.io/ruby"),
        ("localhost/ruby", "localhost/ruby"),
        ("LocalHost/ruby", "localhost/ruby"),
        ("localhost:5000/ruby:3", "localhost:5000/ruby"),
        ("registry:5000/ns/ruby", "registry:5000/ns/ruby"),
        ("registry/ruby", "docker.io/registry/ruby"),
        ("Registry.Local/ns/ruby:3", "registry.local/ns/ruby"),
        (f"registry.local:5000/ns/ruby@{DIGEST}", "registry.local:5000/ns/ruby"),
        ("registry.local", "docker.io/registry.local"),
        ("registry.local:5000", "docker.io/registry.local"),
    ],
)
def test_an_image_has_a_registry_path(image: str, path: str) -> None:
    """Tag and digest are cut, the registry is written out, its case does not matter."""
    assert image_path(image) == path


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("registry.local/foo/image:3", "host"),
        ("registry.local/ns/image:5", "ns"),
        ("registry.local/ns/some/image:1", "image"),
        (f"registry.local/ns/some/image@{DIGEST}", "image"),
        (f"registry.local/ns/some/image:1@{DIGEST}", "image"),
        ("registry.local/ns/some/image/deeper", "image"),
        ("registry.local/nsx/image", "host"),
        ("registry.local:443/ns/image", None),
        ("other.local/ns/image", None),
        ("ruby", None),
    ],
)
def test_the_longest_path_wins(image: str, user: str | None) -> None:
    """A credential goes with its path and all below it, the most specific first."""
    catalogue = read(
        job=auths(
            {
                "registry.local": "host",
                "registry.local/ns": "ns",
                "registry.local/ns/some/image": "image",
            }
        )
    )

    found = resolve(image, catalogue)

    assert (found and found.credential.username) == user


def test_the_longest_path_wins_across_sources() -> None:
    """A more specific login of a later source beats a less specific one of an earlier source."""
    catalogue = read(
        job=auths({"registry.local/ns": "job"}), payload={"registry.local/ns/blipp": "payload"}
    )

    assert found_user("registry.local/ns/blipp/image", catalogue) == (
        "payload from job payload (GitLab Registry)"
    )
    assert found_user("registry.local/ns/image", catalogue) == "job from $DOCKER_AUTH_CONFIG"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("job host payload", "job from $DOCKER_AUTH_CONFIG"),
        ("host payload", f"host from {HOST_PATH}"),
        ("payload", "payload from job payload (GitLab Registry)"),
        ("job payload", "job from $DOCKER_AUTH_CONFIG"),
        ("", None),
    ],
)
def test_the_order_of_the_sources_decides_between_equal_paths(
    sources: str, expected: str | None
) -> None:
    """The job's variable comes first, then the runner user's file, then the payload."""
    catalogue = read(
        job=auths({"https://registry.local": "job"}) if "job" in sources else "",
        host=auths({"REGISTRY.local": "host"}) if "host" in sources else None,
        payload={"registry.local": "payload"} if "payload" in sources else None,
    )

    assert found_user("registry.local/a", catalogue) == expected


@pytest.mark.parametrize(
    "server",
    ["https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io", "docker.io"],
)
@pytest.mark.parametrize(
    "image", ["ruby", f"ruby@{DIGEST}", "docker.io/library/ruby", "index.docker.io/a/b:1"]
)
def test_every_name_of_docker_hub_is_the_same_registry(server: str, image: str) -> None:
    """A login to Docker Hub is found whichever name it and the image use."""
    catalogue = read(host=auths({server: "hubber"}))

    assert found_user(image, catalogue) == f"hubber from {HOST_PATH}"


def test_the_dependency_proxy_is_matched_with_its_port() -> None:
    """GitLab hands out the proxy's login with the port, and its image prefix carries it too."""
    catalogue = read(payload={"registry.gitlab.com": "registry", "gitlab.com:443": "proxy"})

    image = "gitlab.com:443/group/dependency_proxy/containers/docker:27-dind"

    assert found_user(image, catalogue) == "proxy from job payload (GitLab Registry)"


def test_the_source_is_announced_in_gitlab_runners_words() -> None:
    """Authors know this line from the Docker executor."""
    found = resolve("registry.local/a", read(job=auths({"registry.local": "job"})))

    assert str(found) == "Authenticating with credentials from $DOCKER_AUTH_CONFIG"


@pytest.mark.parametrize(
    ("config", "questions"),
    [
        ({"credHelpers": {"b.local": "own"}}, ["get b.local"]),
        ({"credsStore": "own"}, ["list", "get b.local"]),
    ],
)
def test_helpers_of_the_administrators_variable_are_asked(
    config: dict[str, object], questions: list[str]
) -> None:
    """DOCKER_AUTH_CONFIG in `environment` of config.toml is no job's choice."""
    run, asked = helper_with(
        {
            ("docker-credential-own", "list", ""): json.dumps({"b.local": "b-own"}),
            ("docker-credential-own", "get", "b.local"): json.dumps(
                {"Username": "b-own", "Secret": "3"}
            ),
        }
    )
    text = json.dumps(config)

    catalogue = read_catalogue(text, None, [], run, administrators_variable=True)

    assert found_user("b.local/image", catalogue) == "b-own from $DOCKER_AUTH_CONFIG"
    assert asked == [f"docker-credential-own {question}" for question in questions]
    assert read_catalogue(text, None, [], run).entries == ()


def test_each_image_has_the_login_of_its_own_registry() -> None:
    """A file beside the payload takes nothing from it."""
    catalogue = read(host=auths({"a.local": "host"}), payload={"b.local": "payload"})

    images = ("a.local/x", "b.local/x", "c.local/x")
    assert [found_user(image, catalogue) for image in images] == [
        f"host from {HOST_PATH}",
        "payload from job payload (GitLab Registry)",
        None,
    ]


def test_a_helper_is_asked_only_for_what_the_images_need() -> None:
    """A helper costs a process and often a request; nine of ten registries are not pulled from."""
    answer = json.dumps({"Username": "u", "Secret": "s"})
    run, asked = helper_with(
        {
            ("docker-credential-x", "get", "a.local/ns"): answer,
            ("docker-credential-x", "get", "b.local"): answer,
        }
    )
    config = {"credHelpers": {"a.local/ns": "x", "b.local": "x", "c.local": "x"}}

    catalogue = read(
        host=json.dumps(config), run_helper=run, images=["a.local/ns/image:1", "b.local/other"]
    )

    assert asked == ["docker-credential-x get a.local/ns", "docker-credential-x get b.local"]
    assert [each.path for each in catalogue.entries] == ["a.local/ns", "b.local"]


def test_secrets_do_not_show_in_repr() -> None:
    """Whatever prints or logs these objects prints no secret."""
    catalogue = read(
        job=json.dumps({"auths": {"a.local": {"identitytoken": SECRET}}}),
        host=auths({"b.local": "u"}),
        payload={"c.local": "u"},
    )
    shown = repr(catalogue) + repr(resolve("a.local/x", catalogue))
    shown += repr(ConfigFile(HOST_PATH, auths({"b.local": "u"})))

    assert SECRET not in shown
    assert auth("u") not in shown
    assert "c.local" in shown


def shown_users(config: dict[str, object]) -> dict[str, str]:
    """Return which user a config.json has for which key."""
    entries = config["auths"]
    assert isinstance(entries, dict)
    return {
        key: base64.b64decode(entry["auth"]).decode().partition(":")[0]
        for key, entry in entries.items()
    }


@pytest.mark.parametrize(
    ("job", "payload", "expected"),
    [
        ({}, {}, {}),
        ({"https://registry.local/v2/": "a"}, {}, {"registry.local": "a"}),
        ({"docker.io": "a"}, {}, {"https://index.docker.io/v1/": "a"}),
        ({"docker.io/someone": "a"}, {}, {"https://index.docker.io/v1/": "a"}),
        (
            {"registry.local/a": "path"},
            {"registry.local": "host", "gitlab.local:443": "proxy"},
            {"gitlab.local:443": "proxy", "registry.local": "host"},
        ),
        (
            {"registry.local/a/b": "long", "registry.local/z": "short"},
            {},
            {"registry.local": "short"},
        ),
        ({"registry.local/b": "b", "registry.local/a": "a"}, {}, {"registry.local": "a"}),
        ({"registry.local/b": "job"}, {"registry.local/a": "payload"}, {"registry.local": "job"}),
        ({"a.local": "one"}, {"a.local:443": "two"}, {"a.local": "one", "a.local:443": "two"}),
    ],
)
def test_the_jobs_client_gets_one_login_for_a_host(
    job: dict[str, str], payload: dict[str, str], expected: dict[str, str]
) -> None:
    """A docker client knows no path: the host's own login, else the shortest path, else order."""
    catalogue = read(job=auths(job), payload=payload)

    assert shown_users(client_config(catalogue)) == expected


def test_the_jobs_client_gets_logins_and_tokens_as_it_writes_them() -> None:
    """A password is base64 of user:password; a token stands beside the name that goes with it."""
    catalogue = Catalogue(
        (
            Entry("a.local", Credential("u", "p"), "x"),
            Entry("b.local", Credential("", "", "t"), "x"),
        )
    )

    assert client_config(catalogue) == {
        "auths": {
            "a.local": {"auth": auth("u", "p")},
            "b.local": {"auth": auth("<token>", ""), "identitytoken": "t"},
        }
    }


def test_what_the_client_is_given_can_be_read_again() -> None:
    """The injected file is itself a configuration with the same logins."""
    catalogue = read(job=auths({"docker.io": "a", "b.local:5000": "b"}))

    again = read(host=json.dumps(client_config(catalogue)))

    assert {e.path: e.credential for e in again.entries} == {
        e.path: e.credential for e in catalogue.entries
    }


def test_a_source_can_be_kept_from_the_jobs_client() -> None:
    """The administrator's own logins need not be handed to authors with the rest."""
    catalogue = read(host=auths({"a.local": "administrator"}), payload={"b.local": "job"})

    assert shown_users(client_config(catalogue, without=[HOST_PATH])) == {"b.local": "job"}


def test_the_pure_modules_load_nothing_that_acts() -> None:
    """Who only asks which login or image a job gets pays for no client and no subprocess."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r});"
        " import executor.host.credentials, executor.plan.credentials, executor.notation.service_names; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()

    acting = {"base64", "docker", "gitlab", "requests", "socket", "ssl", "structlog", "subprocess"}
    assert "executor.plan.credentials" in loaded
    assert not acting.intersection(loaded)


def test_the_payload_may_repeat_or_omit_a_registry() -> None:
    """The first login for a registry counts, and one without a registry is left out."""
    logins = [RegistryLogin(url, user, SECRET) for url, user in (("", "a"), ("r", "b"), ("r", "c"))]

    catalogue = read_catalogue("", None, logins, no_helper)

    assert [(each.path, each.credential.username) for each in catalogue.entries] == [("r", "b")]


HELPERS: dict[str, tuple[dict[str, object], str, str]] = {
    "its registry": (
        {"credHelpers": {"1.dkr.ecr.eu.example": "ecr-login"}},
        "1.dkr.ecr.eu.example/app:1",
        '"credHelpers": {"1.dkr.ecr.eu.example": "ecr-login"}',
    ),
    "a port": (
        {"credHelpers": {"r.example:5000": "x"}},
        "r.example:5000/a/b@sha256:" + "0" * 64,
        '"credHelpers": {"r.example:5000": "x"}',
    ),
    "a URL": (
        {"credHelpers": {"https://r.example/v2/": "x"}},
        "r.example/a",
        '"credHelpers": {"https://r.example/v2/": "x"}',
    ),
    "a path": (
        {"credHelpers": {"r.example/team": "x", "r.example": "y"}},
        "r.example/team/a",
        '"credHelpers": {"r.example/team": "x"}',
    ),
    "Docker Hub": (
        {"credHelpers": {"https://index.docker.io/v1/": "pass"}},
        "someone/ruby",
        '"credHelpers": {"https://index.docker.io/v1/": "pass"}',
    ),
    "a store": ({"credsStore": "ecr-login"}, "r.example/a", '"credsStore": "ecr-login"'),
    "a store and a helper": (
        {"credsStore": "s", "credHelpers": {"r.example": "x"}},
        "r.example/a",
        '"credHelpers": {"r.example": "x"}',
    ),
    "another registry": ({"credHelpers": {"other.example": "x"}}, "r.example/a", ""),
    "an empty store": ({"credsStore": "", "credHelpers": None}, "r.example/a", ""),
    "no table": ({"credHelpers": "ecr-login"}, "r.example/a", ""),
    "a login in the wrong place": (
        {"credHelpers": {"r.example": {"auth": SECRET}}, "credsStore": [SECRET]},
        "r.example/a",
        "",
    ),
    "no login at all": ({"auths": {}}, "r.example/a", ""),
}


@pytest.mark.parametrize(("config", "image", "line"), HELPERS.values(), ids=HELPERS)
def test_which_line_of_a_project_has_to_move(
    config: dict[str, object], image: str, line: str
) -> None:
    """Whoever is denied an image learns that the helper for it did not run, and where it would."""
    catalogue = read_catalogue(json.dumps(config), None, (), no_helper)
    advice = helper_advice(image, catalogue)
    if not line:
        assert advice == ""
        return
    assert advice.startswith(f"The job's DOCKER_AUTH_CONFIG has {line}, and dind-executor runs no")
    assert (
        "to move this line to ~/.docker/config.json of the user that runs gitlab-runner" in advice
    )


def test_the_administrators_helpers_are_not_to_be_moved() -> None:
    """They are run where they stand."""
    text = json.dumps({"credHelpers": {"r.example": "x"}})
    run, _ = helper_with({})
    catalogue = read_catalogue(text, None, (), run, administrators_variable=True)
    assert helper_advice("r.example/a", catalogue) == ""
