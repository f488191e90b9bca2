"""Jobs: payload, variables, settings and what an engine says of images, up to all requests."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from executor.engine.container_request import container_request, sent_on_stdin
from executor.engine.images import _image_facts, is_for
from executor.engine.wire import as_table
from executor.errors import ExecutorError
from executor.log import AdministratorLog, say
from executor.plan.credentials import resolve
from executor.plan.dind import require_root
from executor.plan.environment import plan_environment
from executor.plan.images import for_engine, plan_images
from executor.plan.inputs import Facts, Inputs
from executor.plan.services import shown_services
from executor.plan.sidecar import choose_sidecar
from executor.reading import read_basics, read_inputs
from executor.runner.environ import RunnerEnv
from executor.runner.payload import read_job
from executor.services.health import health_check, health_warning
from executor.spec import ContainerSpec, ImageFacts, Plan, Pull, Surroundings
from executor.stages import config
from tests import container_keys
from tests.builders import RUNNER_VALUES, a_payload, a_service, a_variable
from tests.load.fuzz.bounds import check_output
from tests.load.fuzz.mutations import Json, documents, texts, words
from tests.load.fuzz.target import Target, World, run_stage
from tests.plans import CACHE, CERTIFICATES, DIND_SERVICE, EVERYTHING

MASKED, PRIVATE, PASSWORD = "s3cret-masked-value", "s3cret-private-value", "s3cret-of-a-registry"
_MARK = "s3cret"


def _auths(password: str) -> str:
    entry = base64.b64encode(f"ada:{password}".encode()).decode()
    return json.dumps(
        {"auths": {"registry.example.com": {"auth": entry}}, "credHelpers": {"a": "b"}}
    )


_VARIABLES = [
    a_variable("CI_JOB_TOKEN", MASKED, public=False, masked=True),
    a_variable("PRIVATE", PRIVATE, public=False),
    a_variable("A", "value of A"),
    a_variable("B", "${A} and $PRIVATE"),
    a_variable("FILE", "content\n", public=False, file=True),
    a_variable("CI_REGISTRY", "registry.example.com"),
    a_variable("HTTPS_PROXY", "http://proxy.example.com:3128"),
]
PAYLOADS: list[Json] = [
    a_payload(
        token=MASKED,
        variables=_VARIABLES,
        image=a_service("ruby:$A", entrypoint=["sh", "-c"], pull_policy=["always"]),
        services=[
            a_service("postgres:16", alias="db other", variables=[a_variable("C", "$A-x")]),
            a_service("docker:20.10.16-dind", command=["--mtu=1300", "--debug"], entrypoint=[""]),
            a_service("registry.example.com:5000/g/p@sha256:" + "a" * 64, command=["x"]),
        ],
        credentials=[
            {
                "type": "registry",
                "url": "registry.example.com",
                "username": "u",
                "password": PASSWORD,
            }
        ],
        cache=[{"key": "k-protected", "paths": ["x"]}],
        secrets={"VAULT": {"vault": {}, "file": False}},
        allow_git_fetch=True,
        git_info={
            "repo_url": f"https://gitlab-ci-token:{MASKED}@gitlab.example.com/g/p.git",
            "ref": "main",
            "sha": "0" * 40,
            "before_sha": "0" * 40,
            "protected": None,
        },
    ),
    a_payload(
        variables=[
            *_VARIABLES,
            a_variable("DOCKER_HOST", "tcp://docker:2375"),
            a_variable("DOCKER_TLS_CERTDIR", ""),
            a_variable("DOCKER_AUTH_CONFIG", _auths(PASSWORD), public=False, masked=True),
            a_variable("HEALTHCHECK_TCP_PORT", "80"),
            a_variable("GIT_STRATEGY", "clone"),
        ],
        services=[a_service("docker:dind", alias="engine")],
    ),
    a_payload(),
]
VALUES: list[Json] = [
    {
        **RUNNER_VALUES,
        "CI_JOB_TOKEN": MASKED,
        "PRIVATE": PRIVATE,
        "A": "value of A",
        "B": f"value of A and {PRIVATE}",
        "HTTPS_PROXY": "http://proxy.example.com:3128",
        "NO_PROXY": "a,b",
        "CI_DEBUG_SERVICES": "true",
    },
    {
        **RUNNER_VALUES,
        "DOCKER_HOST": "tcp://docker:2375",
        "DOCKER_TLS_CERTDIR": "",
        "DOCKER_AUTH_CONFIG": _auths(PASSWORD),
        "GIT_STRATEGY": "clone",
    },
]
IMAGES: list[Json] = [
    {
        "Id": "sha256:" + "a" * 64,
        "RepoDigests": ["docker@sha256:" + "d" * 64],
        "Os": "linux",
        "Architecture": "amd64",
        "Config": {
            "Entrypoint": ["dockerd-entrypoint.sh"],
            "Cmd": ["--mtu=1300"],
            "Env": ["PATH=/bin", "DOCKER_TLS_CERTDIR=/certs", "DOCKER_HOST=", "HOME=/root"],
            "ExposedPorts": {"2375/tcp": {}, "2376/tcp": {}},
            "Volumes": {"/var/lib/docker": {}},
            "User": "",
        },
    },
    {
        "Id": "sha256:" + "b" * 64,
        "Config": {
            "Entrypoint": ["sh", "-c"],
            "Cmd": None,
            "ExposedPorts": {"8000-8010/tcp": {}, "53/udp": {}},
            "User": "1000:1000",
            "Env": ["DOCKER_CONFIG=/x", "HEALTHCHECK_TCP_PORT=80", "no.shell=1"],
        },
    },
]
ALL_KEYS = f"[docker]\n{container_keys.DOCKER}\n[dind]\n{container_keys.DIND}"
SETTINGS = ["", EVERYTHING, CACHE, DIND_SERVICE, ALL_KEYS]
HOST_CONFIGS = [
    _auths("s3cret-of-the-host"),
    '{"credsStore": "none", "credHelpers": {"a.b": "c"}}',
    "",
]


def _cases(**changed: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    plain: dict[str, st.SearchStrategy[Json]] = {
        "payload": st.sampled_from(PAYLOADS),
        "values": st.sampled_from(VALUES),
        "images": st.just(IMAGES),
        "settings": st.sampled_from(SETTINGS),
        "host": st.sampled_from(HOST_CONFIGS),
    }
    return st.fixed_dictionaries({**plain, **changed})


def _plan_job(case: Json, world: World) -> None:
    assert isinstance(case, dict)
    world.write("payload", json.dumps(case["payload"]))
    settings = f'log.path = "{world.directory}/log"\n' + case["settings"]
    (world.directory / ".docker").mkdir(exist_ok=True)
    world.write(".docker/config.json", case["host"])
    facts = [_image_facts(as_table(each), "a") for each in case["images"]]

    def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
        basics = read_basics(env, args)
        log.open(basics.context.log, basics.job.id, basics.job.project_id)
        inputs = read_inputs(env, basics)
        log.hide(inputs.secrets)
        _plan(inputs, facts)

    known = case["values"] if isinstance(case["values"], dict) else {}
    run_stage(
        world,
        main,
        values={key: value for key, value in known.items() if isinstance(value, str)},
        secrets=_secrets(case["payload"]),
        settings=world.write("settings.toml", settings),
    )


def _plan(inputs: Inputs, known: list[ImageFacts]) -> None:
    """Decide all that prepare decides, and encode all that it sends."""
    images = for_engine(plan_images(inputs), "x86_64")
    for notice in (*images.notices, *inputs.catalogue.warnings):
        say(notice)
    pulls = [images.build, *images.services]
    facts: dict[Pull, ImageFacts] = {
        each: known[number % len(known)] for number, each in enumerate(reversed(pulls))
    }
    for each in pulls:
        found = resolve(each.image, inputs.catalogue)
        say(str(found.credential.registry_auth_header().encode()[:9]) if found else "")
        is_for(facts[each], each.platform)
    sidecar = choose_sidecar(inputs, images, {pull: facts[pull] for pull in images.services})
    tls = sidecar is not None and sidecar.transport.tls
    around = Facts(Surroundings(separates_ipv6=True), CERTIFICATES if tls else None)
    plan = plan_environment(inputs, images, sidecar, around)
    for notice in plan.notices:
        say(notice)
    for spec in _containers(plan):
        fact = facts.get(next((each for each in pulls if each.image == spec.image), pulls[0]))
        assert fact
        _encode(spec, fact)
        if spec is plan.dind:
            require_root(spec, fact)
    shown_services(inputs.values, inputs.settings, plan, with_dind=True)


def _containers(plan: Plan) -> Iterator[ContainerSpec]:
    yield from (plan.build, plan.helper, *plan.services)
    if plan.dind:
        yield plan.dind


def _encode(spec: ContainerSpec, facts: ImageFacts) -> None:
    """Encode a request as the engine's client does; look at the service as prepare does."""
    for api in ((1, 41), (1, 47)):
        json.dumps(container_request(spec, facts, api)).encode()
    sent_on_stdin(replace(spec))
    check = health_check(spec, facts, spec.image)
    say(health_warning(check, check.mistake, "")[:9])


def _secrets(payload: Json) -> tuple[str, ...]:
    """Return what of a payload must not show: what GitLab calls masked or private in it."""
    found = set()
    for each in _tables(payload, "variables"):
        value = each.get("value")
        shows = each.get("public") is True and each.get("masked") is not True
        if isinstance(value, str) and not shows and each.get("key"):
            found.add(value)
    found |= {str(each.get("password")) for each in _tables(payload, "credentials")}
    return tuple(
        each for each in found if each.startswith(_MARK) and each in {MASKED, PRIVATE, PASSWORD}
    )


def _tables(payload: Json, key: str) -> list[dict[str, Json]]:
    listed = payload.get(key) if isinstance(payload, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _config(case: Json, world: World) -> None:
    """Run config itself, on a payload that is a text."""
    assert isinstance(case, str)
    world.write("payload", case)
    settings = world.write("settings.toml", f'log.path = "{world.directory}/log"\n')
    secrets = (MASKED,) if f'"{MASKED}"' in case and '"masked": true' in case else ()
    run_stage(world, config.main, values=dict(RUNNER_VALUES), secrets=secrets, settings=settings)


def _read(case: Json, world: World) -> None:
    """Read a payload, as a stage that failed before its settings were read."""
    assert isinstance(case, str)
    try:
        read_job(world.write("payload", case))
    except ExecutorError as error:
        check_output(str(error), secrets=(MASKED,))


def _images() -> st.SearchStrategy[Json]:
    """Return one or two images, as engines describe them, one of them changed."""
    return st.lists(documents(IMAGES), min_size=1, max_size=2)


def _logins() -> st.SearchStrategy[Json]:
    """Return variables with a DOCKER_AUTH_CONFIG."""
    return texts(HOST_CONFIGS).map(lambda each: {**RUNNER_VALUES, "DOCKER_AUTH_CONFIG": each})


def _environments() -> st.SearchStrategy[Json]:
    return st.one_of(documents(VALUES), st.dictionaries(words(), words(), max_size=5))


TARGETS = (
    Target("payload", _cases(payload=documents(PAYLOADS)), _plan_job),
    Target("payload-text", texts([json.dumps(each) for each in PAYLOADS]), _read),
    Target("config", texts([json.dumps(each) for each in PAYLOADS]), _config),
    Target("variables", _cases(values=_environments()), _plan_job),
    Target("images", _cases(images=_images()), _plan_job),
    Target("settings-of-jobs", _cases(settings=texts(SETTINGS)), _plan_job),
    Target("logins", _cases(host=texts(HOST_CONFIGS), values=_logins()), _plan_job),
)
