"""What the dind sidecar is told."""

from dataclasses import replace
from typing import Any

import pytest

from executor.errors import UnusableImage
from executor.plan.dind import require_root
from executor.spec import ImageFacts
from tests.builders import RUNNER_VALUES, a_service, a_variable, some_inputs
from tests.plans import (
    a_plan,
)

TOLD = '[dind]\ncommand = ["--debug"]'


@pytest.mark.parametrize(
    "service",
    [
        {},
        {"command": ["--mtu=1300"]},
        {"command": ["dockerd", "-l"]},
        {"command": ["sh", "-c", "exec dockerd"]},
        {"entrypoint": ["/my.sh"]},
        {"entrypoint": ["/my.sh"], "command": ["--x"]},
        {"entrypoint": [""], "command": ["dockerd"]},
        {"entrypoint": ["tini", "--", "dockerd-entrypoint.sh"], "command": ["-l"]},
    ],
)
def test_a_program_of_the_authors(service: dict[str, Any]) -> None:
    """It runs as it was written; what the settings say reaches dockerd in another way."""
    inputs = some_inputs(services=[a_service("docker:dind", **service)], settings=TOLD)

    plan = a_plan(inputs)

    assert plan.dind
    assert plan.dind.command == tuple(service.get("command", ()))
    assert (plan.dind.entrypoint or ()) == tuple(service.get("entrypoint", ()))
    assert "--debug" in plan.dind.prelude


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([], {}),
        # as any service: public ones, and none that is private
        (
            [a_variable("MIRROR", "m"), a_variable("PRIVATE", "not public", public=False)],
            {"MIRROR": "m"},
        ),
        (
            [a_variable("DOCKER_DRIVER", "overlay2"), a_variable("https_proxy", "http://p:1")],
            {
                "DOCKER_DRIVER": "overlay2",
                "https_proxy": "http://p:1",
                "NO_PROXY": "docker,localhost,127.0.0.1,build",
                "no_proxy": "docker,localhost,127.0.0.1,build",
            },
        ),
        # meant for the client; dockerd would read them too
        (
            [
                a_variable("DOCKER_TLS_VERIFY", "1"),
                a_variable("DOCKER_CERT_PATH", "/certs/client"),
                a_variable("DOCKER_CONFIG", "/x"),
                a_variable("DOCKER_HOST", "tcp://docker:2376"),
                a_variable("DOCKER_TLS_CERTDIR", "/elsewhere"),
            ],
            {},
        ),
    ],
)
def test_what_dockerd_reads_from_its_environment(
    variables: list[dict[str, object]], expected: dict[str, str]
) -> None:
    """It reads what every service reads, and nothing that is meant for Docker's client."""
    cert_dir = next((str(each["value"]) for each in variables if "CERTDIR" in str(each)), "/certs")
    inputs = some_inputs(variables=variables, services=[a_service("docker:dind")])

    plan = a_plan(inputs)

    assert plan.dind
    told = {**plan.dind.environment, **plan.dind.secret_environment}
    assert told == {**RUNNER_VALUES, "DOCKER_TLS_CERTDIR": cert_dir, **expected}


def test_what_reaches_a_sidecar_that_nobody_asked_for() -> None:
    """It is what dind has a use for; what is meant for the job's own programs would break it."""
    inputs = some_inputs(
        variables=[
            a_variable("LD_PRELOAD", "/usr/lib/libfaketime.so"),
            a_variable("PATH", "/opt/tool/bin"),
            a_variable("DOCKER_DRIVER", "overlay"),
            a_variable("DOCKERD_ROOTLESS_ROOTLESSKIT_NET", "none"),
            a_variable("HTTP_PROXY", "http://p:1"),
            a_variable("CI_PIPELINE_NAME", "nightly"),
        ],
        values={"LD_LIBRARY_PATH": "the administrator's"},
    )

    dind = a_plan(inputs).dind

    assert dind
    assert {**dind.environment, **dind.secret_environment} == {
        **RUNNER_VALUES,
        "DOCKER_TLS_CERTDIR": "/certs",
        "HTTP_PROXY": "http://p:1",
        "NO_PROXY": "docker,localhost,127.0.0.1,build",
        "no_proxy": "docker,localhost,127.0.0.1,build",
        "CI_PIPELINE_NAME": "nightly",
        "LD_LIBRARY_PATH": "the administrator's",
    }


def test_what_the_administrator_tells_dind_does_not_show() -> None:
    """A variable of the runner's may hold a password, as a proxy does."""
    proxy = "http://user:pr0xy-passw0rd@proxy:3128"
    inputs = some_inputs(
        variables=[a_variable("no_proxy", "x", public=False)],
        values={"HTTPS_PROXY": proxy, "VAULT_TOKEN": "of the administrator"},
    )

    dind = a_plan(inputs).dind

    assert dind
    assert dind.environment == {"DOCKER_TLS_CERTDIR": "/certs"}
    assert dind.secret_environment == {
        **RUNNER_VALUES,
        "HTTPS_PROXY": proxy,
        "VAULT_TOKEN": "of the administrator",
        "no_proxy": "docker,localhost,127.0.0.1,build,x",
    }


def test_the_user_of_a_dind_service() -> None:
    """The service's user counts as for any service; an image that takes its place has its own."""
    options = {"docker": {"user": "$NAME", "platform": ""}}
    for settings, user in (("", "root:docker"), ("[dind]\nallowed_images = ['other/*']", "")):
        inputs = some_inputs(
            settings=settings,
            variables=[a_variable("NAME", "root:docker")],
            services=[a_service("docker:dind", executor_opts=options)],
        )
        dind = a_plan(inputs).dind

        assert dind
        assert dind.user == user


@pytest.mark.parametrize(
    ("image_user", "user", "refused"),
    [
        ("rootless", "", True),
        ("1000:1000", "", True),
        ("", "rootless", True),
        ("rootless", "root", False),
        ("0:0", "", False),
        ("", "", False),
    ],
)
def test_a_daemon_that_is_not_root_is_refused(image_user: str, user: str, *, refused: bool) -> None:
    """It cannot read the certificates; the sentence names the image, the user and what to use."""
    dind = a_plan(some_inputs(services=[a_service("docker:29-dind")])).dind
    assert dind
    dind, image = replace(dind, user=user), ImageFacts("i", user=image_user)
    if not refused:
        require_root(dind, image)
        return
    with pytest.raises(UnusableImage) as raised:
        require_root(dind, image)
    words = (dind.image, user or image_user, "`docker:29-dind`")
    assert all(each in str(raised.value) for each in words)
