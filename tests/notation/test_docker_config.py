"""A docker configuration file: registry paths, and a login as the engine takes it."""

import base64
import json
from collections.abc import Callable

import pytest

from executor.notation.docker_config import (
    ConfigFile,
    Credential,
    HelperFailed,
    RunHelper,
    registry_path,
)
from executor.plan.credentials import Catalogue, read_catalogue
from tests.logins import (
    HOST_PATH,
    SECRET,
    auth,
    found_user,
    helper_with,
    no_helper,
    read,
)


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ("registry.local", "registry.local"),
        ("Registry.LOCAL", "registry.local"),
        ("registry.local:5000", "registry.local:5000"),
        ("http://registry.local", "registry.local"),
        ("https://registry.local", "registry.local"),
        ("HTTPS://Registry.local:5000/v1/", "registry.local:5000"),
        ("https://registry.local/some/path:1", "registry.local"),
        ("https://user:secret@registry.local/v2/", "registry.local"),
        ("registry.local/", "registry.local"),
        ("registry.local/ns/", "registry.local/ns"),
        ("Registry.local/ns/Image", "registry.local/ns/Image"),
        ("registry.local/ns/image:tag", "registry.local/ns/image"),
        ("registry.local:5000/ns/image:tag", "registry.local:5000/ns/image"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("http://docker.io", "docker.io"),
        ("https://registry-1.docker.io/v2/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("docker.io/library", "docker.io/library"),
        ("index.docker.io/someone", "docker.io/someone"),
        ("gitlab.com:443", "gitlab.com:443"),
        ("", ""),
        ("https://", ""),
    ],
)
def test_a_server_address_stands_for_a_registry_path(server: str, path: str) -> None:
    """A URL stands for its host, any other address for host and namespace; Hub has one name."""
    assert registry_path(server) == path


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (Credential("u", "p"), {"username": "u", "password": "p"}),
        (Credential("u", "", "t"), {"identitytoken": "t"}),
        (Credential("ü", "?>~ÿ" * 5), {"username": "ü", "password": "?>~ÿ" * 5}),
    ],
)
def test_the_engine_gets_a_credential_as_url_safe_base64(
    credential: Credential, expected: dict[str, str]
) -> None:
    """X-Registry-Auth carries the login and no server address."""
    header = credential.registry_auth_header()

    assert json.loads(base64.urlsafe_b64decode(header)) == expected
    assert not set("+/\n").intersection(header)


def test_base64_characters_of_the_header_are_url_safe() -> None:
    """The two characters that differ between the alphabets are replaced."""
    header = Credential("u", "a?>b?>c?>").registry_auth_header()

    assert set("-_").intersection(header)
    assert json.loads(base64.urlsafe_b64decode(header))["password"] == "a?>b?>c?>"


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
                'The login for registry.local in $DOCKER_AUTH_CONFIG is not used: its "auth"'
                " is not user:password in base64."
            ),
        ),
        (
            json.dumps({"auths": {"registry.local": {"auth": auth("").replace(":", "")}}}),
            (
                'The login for registry.local in $DOCKER_AUTH_CONFIG is not used: its "auth"'
                " is not user:password in base64."
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
            f"{key} of $DOCKER_AUTH_CONFIG is ignored, because a job cannot choose programs"
            ' that run on the runner host. Write the login itself under "auths".'
        ),
    )
    assert found_user("registry.local/a", catalogue) == "job from $DOCKER_AUTH_CONFIG"


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
    assert all("must not contain a path separator" in each for each in catalogue.warnings)


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
            failing_with("docker-credential-x list took longer than 30 seconds"),
            "docker-credential-x list took longer than 30 seconds",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(SECRET),
            "docker-credential-x get printed something other than JSON",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(json.dumps([SECRET])),
            "a credential helper returned no Username and Secret",
        ),
        (
            {"credHelpers": {"a.local": "x"}},
            answering_with(json.dumps({"Username": 1, "Secret": SECRET})),
            "a credential helper returned no Username and Secret",
        ),
        (
            {"credsStore": "../evil"},
            no_helper,
            "the name of a credential helper must not contain a path separator",
        ),
        (
            {"credHelpers": {"a.local": "dir\\evil"}},
            no_helper,
            "the name of a credential helper must not contain a path separator",
        ),
        (
            {"credHelpers": {"a.local": 3}},
            no_helper,
            "the name of a credential helper must not contain a path separator",
        ),
    ],
)
def test_a_helper_that_fails_is_a_warning(
    config: dict[str, object], run_helper: RunHelper, why: str
) -> None:
    """The sentence says which file named the helper and why it failed; other logins are used."""
    config = {**config, "auths": {"b.local": {"auth": auth("b")}}}

    catalogue = read(host=json.dumps(config), run_helper=run_helper)

    assert catalogue.warnings == (
        (
            f"A credential helper named in {HOST_PATH} is not used:"
            f" {why}. Pulls continue with the other logins."
        ),
    )
    assert [each.path for each in catalogue.entries] == ["b.local"]


@pytest.mark.parametrize(
    "text",
    ['{"credHelpers": "ecr-login"}', '{"credsStore": ["ecr-login"]}', '{"credHelpers": ["a"]}'],
)
def test_helpers_of_another_shape_are_a_warning(text: str) -> None:
    """They would be ignored without a word, and each pull would be anonymous."""
    found = read_catalogue(text, None, (), no_helper, administrators_variable=True)

    (warning,) = found.warnings
    assert "$DOCKER_AUTH_CONFIG is ignored, because it is not" in warning
    assert found.entries == ()
