"""Everything that is decided for a job before anything is done."""

import sys
from collections import Counter
from types import FrameType

import pytest

from executor.errors import (
    ExecutorError,
    PolicyViolation,
    ServiceConflict,
    SettingsError,
    UnsupportedJobOption,
)
from executor.plan.certificates import certificate_names, certificate_seconds
from executor.plan.images import for_architecture, helper_for, plan_images
from executor.plan.network import plan_network
from executor.plan.sidecar import choose_sidecar
from executor.spec import Pull, Surroundings
from tests.builders import RUNNER_VALUES, TOKEN, a_job, a_login, a_service, a_variable, some_inputs
from tests.plans import (
    CASES,
    DIND,
    DIRECTORY,
    OTHER,
    a_page_job,
    a_plan,
    planned,
    rendered,
)


@pytest.mark.parametrize("name", CASES)
def test_plans_are_as_they_were(name: str) -> None:
    """A difference is either a mistake or the point: `python -m tests.plans` writes it down."""
    assert rendered(name) == (DIRECTORY / f"{name}.json").read_text(encoding="utf-8")


def test_every_golden_file_is_compared() -> None:
    """A case that is gone takes its file with it."""
    assert {each.stem for each in DIRECTORY.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_holds_for_every_plan(name: str) -> None:
    """Only the sidecar is privileged; everything carries the label; no name is used twice."""
    inputs = CASES[name]()
    plan = a_plan(CASES[name]())

    containers = [plan.helper, plan.build, *plan.services, *([plan.dind] if plan.dind else [])]
    owned = [(each.name, each.labels) for each in plan.volumes]
    owned += [(each.name, each.labels) for each in containers]
    owned.append((plan.network.name, plan.network.labels))
    names = [name for name, _ in owned]
    aliases = [alias for each in containers for alias in each.aliases]
    assert not [each for each in containers if each.privileged and each is not plan.dind]
    assert all(labels["dind-executor.job"] == inputs.names.key for _, labels in owned)
    assert len(set(names)) == len(names)
    assert len(set(aliases)) == len(aliases)
    assert {each.network for each in containers} == {plan.network.name}
    assert all(
        (inputs.names.builds_volume, inputs.settings.builds_dir) in each.mounts
        for each in containers
    )
    if plan.dind:
        assert plan.dind.aliases[0] == "docker"
        assert set(plan.dind.aliases) <= set(certificate_names(inputs))


@pytest.mark.parametrize("name", CASES)
def test_no_secret_is_planned_where_it_shows(name: str) -> None:
    """Not in a name, label, command or environment; files alone may hold one."""
    plan = a_plan(CASES[name]())
    containers = [plan.helper, plan.build, *plan.services, *([plan.dind] if plan.dind else [])]

    seen = str([(each, each.environment) for each in containers])
    for secret in (TOKEN, "registry-password", "Y2k6cmVnaXN0cnktcGFzc3dvcmQ=", "key\\n"):
        assert secret not in seen
    assert "registry-password" not in repr(plan)


def test_what_follows_from_the_inputs_is_worked_out_once() -> None:
    """A plan derives secrets, volumes and services once, however many containers ask for them."""
    inputs = CASES["extra-service"]()
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call":
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        a_plan(inputs)
        certificate_names(inputs)
    finally:
        sys.setprofile(None)
    derived = ("secret_values", "secret_keys", "job_volumes", "name_services", "service_container")
    assert {each: calls[each] for each in derived} == dict.fromkeys(derived[:-1], 1) | {
        "service_container": 2
    }


def test_a_login_reaches_the_build_container_by_a_file() -> None:
    """And nobody else: neither the helper nor a service has a word of it."""
    plan = a_plan(CASES["page-pipeline"]())

    (found,) = [each for each in plan.build.files if each.path.endswith("/config.json")]
    assert b"Y2k6cmVnaXN0cnktcGFzc3dvcmQ=" in found.content
    assert found.content.count(b"\n") == 0
    assert plan.helper.files == ()
    assert plan.dind
    assert not [each for each in plan.dind.files if "config.json" in each.path]


# --- images -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "settings", "pull"),
    [
        ("alpine", "", "alpine:latest"),
        ("alpine:3", "", "alpine:3"),
        ("r:5000/a/b", "", "r:5000/a/b:latest"),
        ("a@sha256:" + "a" * 64, "", "a@sha256:" + "a" * 64),
        ("", '[docker]\nimage = "ruby:3"', "ruby:3"),
        ("$UNKNOWN", '[docker]\nimage = "ruby:3"', "ruby:3"),
        ("", '[docker]\nimage = "registry/$TEAM:1"', "registry/blue:1"),
        ("alpine:3", '[docker]\nimage = "ruby:3"', "alpine:3"),
    ],
)
def test_the_build_image(image: str, settings: str, pull: str) -> None:
    """The job's, else the administrator's with the job's variables in it."""
    inputs = some_inputs(
        image=a_service(image), settings=settings, variables=[a_variable("TEAM", "blue")]
    )

    assert plan_images(inputs).build == Pull(pull)


def test_the_default_image_is_said() -> None:
    """In gitlab-runner's words."""
    inputs = some_inputs(image=a_service(""), settings='[docker]\nimage = "ruby:3"')

    assert plan_images(inputs).notices == ("Using default image",)


@pytest.mark.parametrize("image", ["", "$UNKNOWN"])
def test_no_image_at_all(image: str) -> None:
    """The sentence has both remedies."""
    with pytest.raises(UnsupportedJobOption, match=r"add `image:` .*`\[docker\] image`"):
        plan_images(some_inputs(image=a_service(image)))


@pytest.mark.parametrize("image", ["Alpine:3", "a b", "https://registry/a", "a:"])
def test_an_image_that_is_no_name(image: str) -> None:
    """The author is told that the name is not valid."""
    with pytest.raises(UnsupportedJobOption, match="invalid image name"):
        plan_images(some_inputs(image=a_service(image)))


ADMITTING = '[docker]\nallowed_images = ["ruby:*", "team/**"]\nallowed_services = ["postgres:*"]'


@pytest.mark.parametrize("image", ["ruby:3", "team/a/b:1"])
def test_an_image_that_is_admitted(image: str) -> None:
    """By a pattern of the list."""
    assert plan_images(some_inputs(image=a_service(image), settings=ADMITTING)).build.image == image


def test_an_image_that_is_not_admitted() -> None:
    """In gitlab-runner's words, with the list and the remedy."""
    with pytest.raises(PolicyViolation) as caught:
        plan_images(some_inputs(image=a_service("alpine:3"), settings=ADMITTING))

    assert str(caught.value) == (
        'The "alpine:3" image is not present on list of allowed images:\n'
        "- ruby:*\n- team/**\n"
        "Use an image from this list, or ask the administrator to add yours to `[docker]"
        " allowed_images`."
    )


def test_a_service_that_is_not_admitted() -> None:
    """As for images, by its own list."""
    inputs = some_inputs(
        image=a_service("ruby:3"), services=[a_service("mysql:8")], settings=ADMITTING
    )

    with pytest.raises(
        PolicyViolation, match='"mysql:8" image is not present on list of allowed services:'
    ):
        plan_images(inputs)


def test_the_administrators_own_image_is_always_admitted() -> None:
    """A default image need not be on the list."""
    settings = ADMITTING.replace("[docker]", '[docker]\nimage = "alpine:3"')

    assert (
        plan_images(some_inputs(image=a_service(""), settings=settings)).build.image == "alpine:3"
    )
    named = plan_images(some_inputs(image=a_service("alpine:3"), settings=settings))
    assert named.build.image == "alpine:3"


@pytest.mark.parametrize(("image", "admitted"), [("alpine:3", False), ("ruby:3", True)])
def test_a_default_image_by_a_variable_is_not(image: str, *, admitted: bool) -> None:
    """The job chooses it as much as the administrator, so the list has its say."""
    inputs = some_inputs(
        image=a_service(""),
        settings=ADMITTING.replace("[docker]", '[docker]\nimage = "$ANY"'),
        variables=[a_variable("ANY", image)],
    )

    if admitted:
        assert plan_images(inputs).build.image == image
    else:
        with pytest.raises(PolicyViolation, match="not present on list of allowed images"):
            plan_images(inputs)


def test_variables_in_images_and_allow_lists() -> None:
    """The lists see what the job gets, and its dind service is the sidecar all the same."""
    inputs = some_inputs(
        image=a_service("$REGISTRY/group/app:$VERSION"),
        services=[a_service("registry.example.com/docker:27-dind", alias="docker")],
        variables=[
            a_variable("REGISTRY", "registry.example.com"),
            a_variable("VERSION", "$MAJOR.1"),
            a_variable("MAJOR", "2"),
        ],
        values={"VERSION": "2.1"},
        settings="""
[docker]
allowed_images = ["registry.example.com/**"]
allowed_services = ["**/docker:*-dind"]
""",
    )

    images = plan_images(inputs)

    assert images.build.image == "registry.example.com/group/app:2.1"
    assert images.services == (Pull("registry.example.com/docker:27-dind"),)
    assert images.default_dind is None


@pytest.mark.parametrize(
    ("flavor", "tag"),
    [
        ("", "x86_64-v17.9.0"),
        ("alpine", "x86_64-v17.9.0"),
        ("ubuntu", "ubuntu-x86_64-v17.9.0"),
        ("$FLAVOR", "alpine3.21-x86_64-v17.9.0"),
    ],
)
def test_the_flavor_of_the_runners_helper(flavor: str, tag: str) -> None:
    """As gitlab-runner tags its images; variables are expanded."""
    inputs = some_inputs(
        settings=f'[docker]\nhelper_image_flavor = "{flavor}"',
        variables=[a_variable("FLAVOR", "alpine3.21")],
    )

    image = helper_for(plan_images(inputs).helper, "amd64")

    assert image == f"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{tag}"


@pytest.mark.parametrize(
    ("flavor", "architecture", "archive"),
    [
        ("", "amd64", "prebuilt-alpine-x86_64"),
        ("alpine", "arm64", "prebuilt-alpine-arm64"),
        ("$FLAVOR", "s390x", "prebuilt-ubuntu-s390x"),
    ],
)
def test_the_archive_of_the_runners_helper(flavor: str, architecture: str, archive: str) -> None:
    """As gitlab-runner's packages name it, which is not quite as the image's tag."""
    inputs = some_inputs(
        settings=f'[docker]\nhelper_image_flavor = "{flavor}"',
        variables=[a_variable("FLAVOR", "ubuntu")],
    )

    assert for_architecture(plan_images(inputs).helper_archive, architecture) == archive


@pytest.mark.parametrize("bare", ["sha256:" + "a" * 64, "a" * 64])
def test_the_id_of_a_local_image(bare: str) -> None:
    """It names no registry that could be asked, and would go around the allow-lists."""
    with pytest.raises(PolicyViolation, match="is an image id"):
        plan_images(some_inputs(image=a_service(bare)))


@pytest.mark.parametrize(("limit", "admitted"), [(-1, True), (2, True), (1, False), (0, False)])
def test_the_number_of_services(limit: int, *, admitted: bool) -> None:
    """In gitlab-runner's words."""
    inputs = some_inputs(
        services=[a_service("redis:7"), a_service("postgres:16")],
        settings=f"[docker]\nservices_limit = {limit}",
    )

    if admitted:
        assert len(plan_images(inputs).services) == 2
    else:
        with pytest.raises(PolicyViolation, match=f"too many services requested: 2, only {limit}"):
            plan_images(inputs)


@pytest.mark.parametrize(
    ("services", "settings", "wanted"),
    [
        ([], "", "docker:28-dind"),
        ([], '[dind]\nimage = "registry/dind"', "registry/dind:latest"),
        ([], '[dind]\nmode = "service"', None),
        ([a_service("postgres:16")], "", "docker:28-dind"),
        # a service that may well be dind: nothing is pulled in vain
        ([a_service("docker:dind")], "", None),
        ([a_service("docker:dind")], '[dind]\nmode = "service"', None),
    ],
)
def test_the_administrators_dind_is_pulled_early(
    services: list[dict[str, object]], settings: str, wanted: str | None
) -> None:
    """Where it is sure to be needed, as far as the names tell."""
    inputs = some_inputs(services=services, settings=settings)

    assert plan_images(inputs).default_dind == (Pull(wanted) if wanted else None)


# --- the helper -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("17.9.0", "{arch}-v17.9.0"),
        ("19.4.0~pre.12.g123", "{arch}-latest"),
        ("development version", "{arch}-latest"),
        ("", "{arch}-latest"),
    ],
)
def test_the_runners_own_helper(version: str, tag: str) -> None:
    """For its version, as gitlab-runner's own executors have it."""
    inputs = some_inputs(values={"CI_RUNNER_VERSION": version})

    assert plan_images(inputs).helper == (
        f"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{tag}"
    )


@pytest.mark.parametrize(
    ("image", "architecture", "expected"),
    [
        ("r/h:{arch}-v17.9.0", "amd64", "r/h:x86_64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "arm64", "r/h:arm64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "aarch64", "r/h:arm64-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "armv7l", "r/h:arm-v17.9.0"),
        ("r/h:{arch}-v17.9.0", "s390x", "r/h:s390x-v17.9.0"),
        # without a tag the engine would pull all of them
        ("r:5000/h", "amd64", "r:5000/h:latest"),
    ],
)
def test_the_helper_for_an_engine(image: str, architecture: str, expected: str) -> None:
    """In gitlab-runner's spelling of the architecture."""
    assert helper_for(image, architecture) == expected


def test_the_administrators_helper() -> None:
    """In place of the runner's own, with the job's variables in its name."""
    inputs = some_inputs(
        settings='[docker]\nhelper_image = "$PLACE/helper:$CI_RUNNER_VERSION"',
        variables=[a_variable("PLACE", "registry.corp.example")],
    )

    image = helper_for(plan_images(inputs).helper, "amd64")

    assert image == "registry.corp.example/helper:17.9.0"


def test_a_helper_that_the_jobs_variables_make_no_name_of() -> None:
    """The sentence names the setting, as the administrator chose it."""
    inputs = some_inputs(settings='[docker]\nhelper_image = "registry/helper:$NOWHERE"')

    with pytest.raises(SettingsError, match=r"`\[docker\] helper_image`: invalid image name"):
        helper_for(plan_images(inputs).helper, "amd64")


# --- the sidecar ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("services", "facts", "settings", "image", "replaced"),
    [
        ([], {}, "", "docker:28-dind", False),
        (["docker:dind"], {"docker:dind": DIND}, "", "docker:dind", False),
        # dind by what it is: its name is not admitted, so that the administrator's runs
        (["r/engine:1"], {"r/engine:1": DIND}, "", "docker:28-dind", True),
        (
            ["r/engine:1"],
            {"r/engine:1": DIND},
            '[dind]\nallowed_images = ["r/*:*"]',
            "r/engine:1",
            False,
        ),
        (
            ["docker:dind"],
            {"r/mine:1": DIND},
            '[dind]\nimage = "r/mine:1"\nallowed_images = ["nothing"]',
            "r/mine:1",
            True,
        ),
        (["postgres:16"], {"postgres:16": OTHER}, "", "docker:28-dind", False),
    ],
)
def test_which_image_the_sidecar_runs(
    services: list[str],
    facts: dict[str, object],
    settings: str,
    image: str,
    *,
    replaced: bool,
) -> None:
    """The job's own where the administrator admits it, else the administrator's."""
    inputs = some_inputs(services=[a_service(each) for each in services], settings=settings)

    images = plan_images(inputs)

    sidecar = choose_sidecar(
        inputs,
        images,
        {pull: facts[pull.image] for pull in images.services},  # type: ignore[misc]
    )

    assert sidecar
    assert (sidecar.pull.image, sidecar.replaced) == (image, replaced)


@pytest.mark.parametrize("services", [[], ["postgres:16"]])
def test_no_sidecar_where_nobody_asked(services: list[str]) -> None:
    """The administrator may want one only for jobs that list a dind service."""
    inputs = some_inputs(
        services=[a_service(each) for each in services], settings='[dind]\nmode = "service"'
    )
    images = plan_images(inputs)

    assert choose_sidecar(inputs, images, dict.fromkeys(images.services, OTHER)) is None


@pytest.mark.parametrize(
    ("inputs_of", "error"),
    [
        (
            {"services": [a_service("docker:dind"), a_service("docker:27-dind")]},
            ServiceConflict,
        ),
        ({"services": [a_service("postgres:16", alias="docker")]}, ServiceConflict),
        (
            {
                "variables": [a_variable("DOCKER_TLS_CERTDIR", "")],
                "settings": "[dind]\nallow_plain_tcp = false",
            },
            PolicyViolation,
        ),
        (
            {
                "services": [
                    a_service("docker:dind", variables=[a_variable("DOCKER_TLS_CERTDIR", "")])
                ],
                "settings": "[dind]\nallow_plain_tcp = false",
            },
            PolicyViolation,
        ),
        ({"variables": [a_variable("DOCKER_TLS_CERTDIR", "x")]}, UnsupportedJobOption),
    ],
)
def test_sidecars_that_cannot_be(inputs_of: dict[str, object], error: type[ExecutorError]) -> None:
    """Each with its sentence (see the tests of services)."""
    with pytest.raises(error):
        planned(some_inputs(**inputs_of))  # type: ignore[arg-type]


def test_an_administrator_who_forbids_plain_tcp_forbids_nothing_else() -> None:
    """A job without a sidecar may say what it likes of TLS."""
    inputs = some_inputs(
        variables=[a_variable("DOCKER_TLS_CERTDIR", "")],
        settings='[dind]\nmode = "service"\nallow_plain_tcp = false',
    )

    assert planned(inputs)


# --- what dockerd is told ---------------------------------------------------------------------

TOLD = '[dind]\ncommand = ["--debug"]'


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ({}, ("--debug",)),
        ({"command": ["--mtu=1300"]}, ("--debug", "--mtu=1300")),
        ({"command": ["dockerd", "-l"]}, ("dockerd", "--debug", "-l")),
        (
            {"command": ["dockerd-entrypoint.sh"]},
            ("dockerd-entrypoint.sh", "--debug"),
        ),
        # another program is the author's business
        ({"command": ["sh", "-c", "exec dockerd"]}, ("sh", "-c", "exec dockerd")),
        ({"entrypoint": ["/my.sh"]}, ()),
        ({"entrypoint": ["/my.sh"], "command": ["--x"]}, ("--x",)),
        ({"entrypoint": [""], "command": ["dockerd"]}, ("dockerd",)),
        ({"entrypoint": ["dockerd"]}, ("--debug",)),
        (
            {"entrypoint": ["tini", "--", "dockerd-entrypoint.sh"], "command": ["-l"]},
            ("--debug", "-l"),
        ),
    ],
)
def test_arguments_of_dockerd(service: dict[str, object], command: tuple[str, ...]) -> None:
    """Ours, the administrator's, and the author's, who has the last word."""
    inputs = some_inputs(services=[a_service("docker:dind", **service)], settings=TOLD)

    plan = a_plan(inputs)

    assert plan.dind
    assert plan.dind.command == command


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
    """What every service reads, and nothing that is meant for Docker's client."""
    cert_dir = next((str(each["value"]) for each in variables if "CERTDIR" in str(each)), "/certs")
    inputs = some_inputs(variables=variables)

    plan = a_plan(inputs)

    assert plan.dind
    told = {**plan.dind.environment, **plan.dind.secret_environment}
    assert told == {**RUNNER_VALUES, "DOCKER_TLS_CERTDIR": cert_dir, **expected}


def test_what_the_administrator_tells_dind_does_not_show() -> None:
    """It may hold a password, as a proxy does."""
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
    """As of any service; an image that takes its place has its own."""
    options = {"docker": {"user": "$NAME", "platform": ""}}
    for settings, user in (("", "rootless"), ("[dind]\nallowed_images = ['other/*']", "")):
        inputs = some_inputs(
            settings=settings,
            variables=[a_variable("NAME", "rootless")],
            services=[a_service("docker:dind", executor_opts=options)],
        )
        dind = a_plan(inputs).dind

        assert dind
        assert dind.user == user


def test_a_services_variables_see_the_jobs() -> None:
    """Its own first, then all of the job's; a raw one is left as it is, a file one is a path."""
    inputs = some_inputs(
        services=[
            a_service(
                "redis:7",
                variables=[
                    a_variable("A", "$NAME-$B-$CA"),
                    a_variable("B", "own"),
                    a_variable("R", "$NAME", raw=True),
                ],
            )
        ],
        variables=[
            a_variable("NAME", "shop"),
            a_variable("B", "the job's"),
            a_variable("CA", "x", file=True),
        ],
    )

    (service,) = inputs.job.services
    assert inputs.variables.services_own(service) == {
        "A": "shop-own-/builds/group/project.tmp/CA",
        "B": "own",
        "R": "$NAME",
    }


# --- certificates -----------------------------------------------------------------------------


def test_names_of_the_certificate() -> None:
    """Every name that a client may call the sidecar by, each once."""
    inputs = some_inputs(services=[a_service("r:5000/a/docker:dind", alias="docker engine")])

    assert certificate_names(inputs) == (
        "docker",
        "localhost",
        "r__a__docker",
        "r-a-docker",
        "engine",
    )


def test_certificates_outlive_the_job() -> None:
    """Its timeout begins later than prepare, and after_script comes on top."""
    assert certificate_seconds(a_job(runner_info={"timeout": 600})) == 600 + 7200


def test_the_page_job_has_its_login_from_the_payload() -> None:
    """The sample that most of this stands on is what it says."""
    assert a_page_job().catalogue.entries[0].credential == a_login()


def test_ipv6_is_refused_where_jobs_would_reach_each_other() -> None:
    """The administrator is told what the engine lacks; without IPv6 it lacks nothing."""
    with pytest.raises(SettingsError, match=r'`\[docker\] enable_ipv6`: .*"ip6tables": true'):
        plan_network(some_inputs(settings="[docker]\nenable_ipv6 = true\n"), Surroundings())

    assert plan_network(some_inputs(), Surroundings()).ipv6_subnet == ""
