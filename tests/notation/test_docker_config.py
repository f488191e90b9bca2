"""A docker configuration file: registry paths, and a login as the engine takes it."""

import base64
import json

import pytest

from executor.notation.docker_config import Credential, registry_path


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
