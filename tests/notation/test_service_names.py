"""What a service's name says of it."""

import pytest

from executor.notation.image_names import InvalidImage
from executor.notation.service_names import ServiceName, split_aliases

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "service", "version", "image", "aliases"),
    [
        ("mysql", "mysql", "latest", "mysql:latest", ["mysql"]),
        ("mysql:8", "mysql", "8", "mysql:8", ["mysql"]),
        ("docker:27-dind", "docker", "27-dind", "docker:27-dind", ["docker"]),
        ("docker:dind", "docker", "dind", "docker:dind", ["docker"]),
        (f"mysql@{DIGEST}", "mysql", f"@{DIGEST}", f"mysql@{DIGEST}", ["mysql"]),
        (f"mysql:8@{DIGEST}", "mysql", "8", f"mysql:8@{DIGEST}", ["mysql"]),
        ("a/b", "a/b", "latest", "a/b:latest", ["a__b", "a-b"]),
        ("a/b:1", "a/b", "1", "a/b:1", ["a__b", "a-b"]),
        ("a/b/c", "a/b/c", "latest", "a/b/c:latest", ["a__b__c", "a-b-c"]),
        (f"a/b@{DIGEST}", "a/b", f"@{DIGEST}", f"a/b@{DIGEST}", ["a__b", "a-b"]),
        ("a-b/c_d", "a-b/c_d", "latest", "a-b/c_d:latest", ["a-b__c_d", "a-b-c_d"]),
        ("a.b/c", "a.b/c", "latest", "a.b/c:latest", ["a.b__c", "a.b-c"]),
        ("localhost/a", "localhost/a", "latest", "localhost/a:latest", ["localhost__a", "localhost-a"]),
        ("localhost:5000/a", "localhost/a", "latest", "localhost:5000/a:latest", ["localhost__a", "localhost-a"]),
        ("r.tld/a", "r.tld/a", "latest", "r.tld/a:latest", ["r.tld__a", "r.tld-a"]),
        ("r.tld/a:1", "r.tld/a", "1", "r.tld/a:1", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/a", "r.tld/a", "latest", "r.tld:8080/a:latest", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/a:1", "r.tld/a", "1", "r.tld:8080/a:1", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/n/a", "r.tld/n/a", "latest", "r.tld:8080/n/a:latest", ["r.tld__n__a", "r.tld-n-a"]),
        ("r.tld:8080/n/a:1", "r.tld/n/a", "1", "r.tld:8080/n/a:1", ["r.tld__n__a", "r.tld-n-a"]),
        (f"r.tld:8080/n/a@{DIGEST}", "r.tld/n/a", f"@{DIGEST}", f"r.tld:8080/n/a@{DIGEST}", ["r.tld__n__a", "r.tld-n-a"]),
        (f"r.tld:8080/n/a:1@{DIGEST}", "r.tld/n/a", "1", f"r.tld:8080/n/a:1@{DIGEST}", ["r.tld__n__a", "r.tld-n-a"]),
        ("r.tld/docker:dind", "r.tld/docker", "dind", "r.tld/docker:dind", ["r.tld__docker", "r.tld-docker"]),
        ("10.0.0.1:80/a", "10.0.0.1/a", "latest", "10.0.0.1:80/a:latest", ["10.0.0.1__a", "10.0.0.1-a"]),
        ("[::1]:80/a", "[::1]/a", "latest", "[::1]:80/a:latest", ["[::1]__a", "[::1]-a"]),
        ("registry:5000", "registry", "5000", "registry:5000", ["registry"]),
        ("a_b", "a_b", "latest", "a_b:latest", ["a_b"]),
    ],
)  # fmt: skip
def test_a_service_name_gives_version_image_and_aliases(
    text: str, service: str, version: str, image: str, aliases: list[str]
) -> None:
    """The aliases come from the name without the registry's port, once with __ and once with -."""
    name = ServiceName.parse(text)

    assert (name.service, name.version, name.image, list(name.aliases)) == (
        service,
        version,
        image,
        aliases,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r.tld:8080/n/a", "r.tld/n/a:latest"),
        ("docker:27-dind", "docker:27-dind"),
        (DIGEST, DIGEST),
        (f"mysql@{DIGEST}", f"mysql@{DIGEST}"),
    ],
)
def test_a_service_is_shown_as_gitlab_runner_shows_it(text: str, shown: str) -> None:
    """The job log says which service starts, in the words that authors know."""
    assert str(ServiceName.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "MySQL", "my sql"])
def test_a_service_without_a_usable_name_is_refused(text: str) -> None:
    """The sentence says that it is a service's name that is wrong."""
    with pytest.raises(InvalidImage, match=r"^invalid service image name "):
        ServiceName.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("docker", ("docker",)),
        ("alpine alpine svc-1,svc-2", ("alpine", "svc-1", "svc-2")),
        (" ,b,\ta ,\n c,, ", ("b", "a", "c")),
    ],
)
def test_split_aliases(text: str, expected: tuple[str, ...]) -> None:
    """Aliases are separated by commas and any white space; each counts once, in order."""
    assert split_aliases(text) == expected
