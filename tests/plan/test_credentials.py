"""Registry credentials: their sources, their order, and what a job's docker client is given."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.notation.docker_config import ConfigFile, HelperFailed
from executor.plan.credentials import (
    Catalogue,
    Credential,
    Entry,
    RunHelper,
    client_config,
    image_path,
    read_catalogue,
    resolve,
)
from executor.runner.payload import RegistryLogin

HOST_PATH = "/home/gitlab-runner/.docker/config.json"
SECRET = "hunter2-of-the-registry"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def auth(username: str, password: str = SECRET) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def auths(entries: dict[str, str]) -> str:
    """Return a config.json with a user per server."""
    return json.dumps({"auths": {key: {"auth": auth(user)} for key, user in entries.items()}})


def no_helper(program: str, verb: str, text: str) -> str:
    pytest.fail(f"{program} {verb} {text} was run")


def helper_with(answers: dict[tuple[str, str, str], str]) -> tuple[RunHelper, list[str]]:
    """Return a runner of helpers with canned answers, and the list of what it was asked."""
    asked: list[str] = []

    def run(program: str, verb: str, text: str) -> str:
        asked.append(f"{program} {verb} {text}".rstrip())
        try:
            return answers[program, verb, text]
        except KeyError:
            raise HelperFailed(f"{program} is not on the PATH of gitlab-runner") from None

    return run, asked


def read(
    *,
    job: str = "",
    host: str | None = None,
    payload: dict[str, str] | None = None,
    run_helper: RunHelper = no_helper,
    images: list[str] | None = None,
) -> Catalogue:
    """Read a catalogue from the three sources; `payload` maps a URL to a user."""
    logins = [RegistryLogin(url, user, SECRET) for url, user in (payload or {}).items()]
    config = None if host is None else ConfigFile(HOST_PATH, host)
    return read_catalogue(job, config, logins, run_helper, images)


def found_user(image: str, catalogue: Catalogue) -> str | None:
    found = resolve(image, catalogue)
    return None if found is None else f"{found.credential.username} from {found.source}"


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
    ("entry", "expected"),
    [
        ({"auth": auth("u", "p:with:colons")}, Credential("u", "p:with:colons")),
        ({"auth": base64.b64encode(b"u:p\0\0").decode()}, Credential("u", "p")),
        ({"auth": auth("u", "")}, Credential("u", "")),
        ({"auth": auth("u", "p") + "\n"}, Credential("u", "p")),
        ({"username": "u", "password": "p"}, Credential("u", "p")),
        ({"username": "x", "password": "y", "auth": auth("u", "p")}, Credential("u", "p")),
        ({"auth": auth("u", ""), "identitytoken": "t"}, Credential("u", "", "t")),
        ({"identitytoken": "t"}, Credential("", "", "t")),
    ],
)
def test_every_form_of_a_login_is_read(entry: dict[str, str], expected: Credential) -> None:
    """A login is base64, a name and a password, or an identity token."""
    catalogue = read(job=json.dumps({"auths": {"registry.local": entry}}))

    assert [each.credential for each in catalogue.entries] == [expected]
    assert catalogue.warnings == ()


@pytest.mark.parametrize("entry", [{}, {"email": "a@b"}, {"auth": ""}])
def test_an_empty_login_is_passed_over(entry: dict[str, str]) -> None:
    """A client leaves an empty entry where a credential helper has the login."""
    assert read(job=json.dumps({"auths": {"registry.local": entry}})) == Catalogue()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "{\n" + SECRET,
            (
                "Failed to resolve credentials from $DOCKER_AUTH_CONFIG: it is not JSON, line 2."
                " Credentials from this source will not be used."
            ),
        ),
        (
            "[" * 100_000,
            (
                "Failed to resolve credentials from $DOCKER_AUTH_CONFIG: it is not JSON."
                " Credentials from this source will not be used."
            ),
        ),
        (
            json.dumps([SECRET]),
            (
                "Failed to resolve credentials from $DOCKER_AUTH_CONFIG: it is not a JSON object."
                " Credentials from this source will not be used."
            ),
        ),
        (
            json.dumps({"auths": [SECRET]}),
            (
                'Failed to resolve credentials from $DOCKER_AUTH_CONFIG: "auths" is not a JSON object.'
                " Credentials from this source will not be used."
            ),
        ),
        (
            json.dumps({"auths": {"https://u:p@registry.local": SECRET}}),
            (
                "The login for registry.local in $DOCKER_AUTH_CONFIG is not used:"
                " it is not a JSON object."
            ),
        ),
        (
            json.dumps({"auths": {"registry.local": {"auth": SECRET}}}),
            (
                "The login for registry.local in $DOCKER_AUTH_CONFIG is not used:"
                ' its "auth" is not the base64 form of user:password.'
            ),
        ),
        (
            json.dumps({"auths": {"registry.local": {"auth": auth("").replace(":", "")}}}),
            (
                "The login for registry.local in $DOCKER_AUTH_CONFIG is not used:"
                ' its "auth" is not the base64 form of user:password.'
            ),
        ),
    ],
)
def test_a_malformed_source_is_a_warning_without_the_secret(text: str, warning: str) -> None:
    """A source that cannot be read is said so, costs nothing else, and is not quoted."""
    catalogue = read(job=text, payload={"registry.local": "payload"})

    assert catalogue.warnings == (warning,)
    assert SECRET not in "".join(catalogue.warnings)
    assert found_user("registry.local/a", catalogue) == (
        "payload from job payload (GitLab Registry)"
    )


def test_one_bad_login_does_not_cost_the_others() -> None:
    """The logins beside a malformed one are used."""
    entries = {"bad.local": {"auth": "%"}, "good.local": {"auth": auth("good")}}
    catalogue = read(job=json.dumps({"auths": entries}))

    assert [each.path for each in catalogue.entries] == ["good.local"]
    assert len(catalogue.warnings) == 1


def test_an_unreadable_host_file_is_a_warning() -> None:
    """An administrator whose file cannot be read sees why pulls are anonymous."""
    config = ConfigFile(HOST_PATH, problem="it cannot be read: Permission denied")

    catalogue = read_catalogue("", config, [], no_helper)

    assert catalogue == Catalogue(
        (), (f"{HOST_PATH} is not used: it cannot be read: Permission denied.",)
    )


def test_the_oldest_form_of_the_host_file_is_read() -> None:
    """~/.dockercfg holds the logins without a table around them."""
    config = ConfigFile("/root/.dockercfg", json.dumps({"registry.local": {"auth": auth("old")}}))

    catalogue = read_catalogue("", config, [], no_helper)

    assert found_user("registry.local/a", catalogue) == "old from /root/.dockercfg"


@pytest.mark.parametrize("text", ["", "  \n", "{}", '{"auths": {}}', '{"auths": null}'])
def test_an_empty_source_is_silent(text: str) -> None:
    """A variable that is set to nothing says nothing."""
    assert read(job=text) == Catalogue()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("credsStore", "../../tmp/evil"),
        ("credsStore", "evil"),
        ("credHelpers", {"a.local": "evil"}),
    ],
)
def test_a_job_chooses_no_program_to_run_on_the_host(key: str, value: object) -> None:
    """Helpers that DOCKER_AUTH_CONFIG names are never run; a sentence says so and why."""
    config = {key: value, "auths": {"registry.local": {"auth": auth("job")}}}

    catalogue = read(job=json.dumps(config), run_helper=no_helper)

    assert catalogue.warnings == (
        (
            f"{key} of $DOCKER_AUTH_CONFIG is ignored: a job does not choose programs to run on the"
            ' runner host; write the login itself under "auths".'
        ),
    )
    assert found_user("registry.local/a", catalogue) == "job from $DOCKER_AUTH_CONFIG"


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


@pytest.mark.parametrize("whose", ["home", "administrators_variable"])
def test_a_helper_by_a_path_costs_no_other_login(whose: str) -> None:
    """It is never run, wherever the administrator names it; a good one beside it is asked."""
    answer = json.dumps({"Username": "good", "Secret": SECRET})
    run, asked = helper_with({("docker-credential-own", "get", "b.local"): answer})
    text = json.dumps(
        {"credsStore": "../evil", "credHelpers": {"a.local": "../evil", "b.local": "own"}}
    )

    if whose == "home":
        catalogue = read(host=text, run_helper=run)
    else:
        catalogue = read_catalogue(text, None, [], run, administrators_variable=True)

    assert asked == ["docker-credential-own get b.local"]
    assert [each.path for each in catalogue.entries] == ["b.local"]
    assert len(catalogue.warnings) == 2
    assert all("may hold no path separator" in each for each in catalogue.warnings)


def test_each_image_has_the_login_of_its_own_registry() -> None:
    """A file beside the payload takes nothing from it."""
    catalogue = read(host=auths({"a.local": "host"}), payload={"b.local": "payload"})

    images = ("a.local/x", "b.local/x", "c.local/x")
    assert [found_user(image, catalogue) for image in images] == [
        f"host from {HOST_PATH}",
        "payload from job payload (GitLab Registry)",
        None,
    ]


def test_the_administrators_store_and_helpers_are_asked() -> None:
    """Store beats `auths` and a registry's own helper beats the store, as in the docker client."""
    run, asked = helper_with(
        {
            ("docker-credential-store", "list", ""): json.dumps(
                {"https://a.local/v2/": "x", "b.local": "x"}
            ),
            ("docker-credential-store", "get", "https://a.local/v2/"): json.dumps(
                {"Username": "a-store", "Secret": "1"}
            ),
            ("docker-credential-store", "get", "b.local"): json.dumps(
                {"Username": "b-store", "Secret": "2"}
            ),
            ("docker-credential-own", "get", "b.local"): json.dumps(
                {"ServerURL": "b.local", "Username": "<token>", "Secret": "3"}
            ),
        }
    )
    config = {
        "auths": {key: {"auth": auth("auths", "0")} for key in ("a.local", "b.local", "c.local")},
        "credsStore": "store",
        "credHelpers": {"b.local": "own"},
    }

    catalogue = read(host=json.dumps(config), run_helper=run)

    assert {each.path: each.credential for each in catalogue.entries} == {
        "a.local": Credential("a-store", "1"),
        "b.local": Credential("", "", "3"),
        "c.local": Credential("auths", "0"),
    }
    assert asked == [
        "docker-credential-store list",
        "docker-credential-store get b.local",
        "docker-credential-store get https://a.local/v2/",
        "docker-credential-own get b.local",
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


def failing_with(text: str) -> Callable[[str, str, str], str]:
    def run(_program: str, _verb: str, _text: str) -> str:
        raise HelperFailed(text)

    return run


def answering_with(text: str) -> Callable[[str, str, str], str]:
    return lambda _program, _verb, _text: text


@pytest.mark.parametrize(
    ("config", "run_helper", "why"),
    [
        (
            {"credHelpers": {"a.local": "x"}},
            failing_with("docker-credential-x is not on the PATH of gitlab-runner"),
            "docker-credential-x is not on the PATH of gitlab-runner",
        ),
        (
            {"credsStore": "x"},
            failing_with("docker-credential-x list took more than 30 s"),
            "docker-credential-x list took more than 30 s",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(SECRET),
            "docker-credential-x get did not answer with JSON",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(json.dumps([SECRET])),
            "a credential helper answered without Username and Secret",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(json.dumps({"Username": 1, "Secret": SECRET})),
            "a credential helper answered without Username and Secret",
        ),
        (
            {"credsStore": "../evil"},
            no_helper,
            "the name of a credential helper may hold no path separator",
        ),
        (
            {"credHelpers": {"a.local": "dir\\evil"}},
            no_helper,
            "the name of a credential helper may hold no path separator",
        ),
        (
            {"credHelpers": {"a.local": 3}},
            no_helper,
            "the name of a credential helper may hold no path separator",
        ),
    ],
)
def test_a_helper_that_fails_is_a_warning(
    config: dict[str, object], run_helper: RunHelper, why: str
) -> None:
    """The sentence says which file named the helper and why it failed; other logins are used."""
    config = {**config, "auths": {"b.local": {"auth": auth("b")}}}

    catalogue = read(host=json.dumps(config), run_helper=run_helper)

    assert catalogue.warnings == (f"A credential helper named in {HOST_PATH} is not used: {why}.",)
    assert [each.path for each in catalogue.entries] == ["b.local"]


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
