"""What a job would get, as JSON: names of variables and never their values.  Pure."""

import hashlib
from collections.abc import Iterable, Mapping

from executor.commands.plan.planning import Planned
from executor.names import LABEL
from executor.plan.credentials import resolve
from executor.redaction import redact
from executor.spec import ContainerSpec, ImageFacts, Pull

Json = dict[str, object]

_LONGEST = 400
"""Longer strings are programs of dind-executor, or somebody's."""
_OF_THE_JOB = ("job", "variables", "warnings", "credentials")
_PRIVILEGES = (
    "Privileged",
    "CapAdd",
    "SecurityOpt",
    "Devices",
    "DeviceRequests",
    "DeviceCgroupRules",
    "PidMode",
    "IpcMode",
    "UsernsMode",
    "VolumesFrom",
    "Sysctls",
)
"""What of a container's `HostConfig` gives it more than an ordinary container has."""


def document(planned: Planned, *, requests: bool = True) -> Json:
    """Return all that a job would get; `requests` adds what the engine would be asked."""
    inputs = planned.inputs
    found: Json = {
        "job": {
            "id": inputs.job.id,
            "project_id": inputs.job.project_id,
            "key": inputs.names.key,
            "name": inputs.job.name,
        },
        "images": {_key(each): _image(planned, each) for each in planned.pulls},
        "containers": {
            role: _container(spec, planned.facts[role]) for role, spec in planned.containers.items()
        },
        "network": _network(planned),
        "volumes": {
            name: {
                "lasts": LABEL not in each.labels,
                **({"driver": each.driver} if each.driver else {}),
                **({"options": each.options} if each.options else {}),
            }
            for name, each in planned.volumes.items()
        },
        "docker_daemon": _daemon(planned),
        "credentials": {
            each.path: {
                "source": each.source,
                "job_is_logged_in": each.source != inputs.hidden_source,
            }
            for each in inputs.catalogue.entries
        },
        "variables": {"secret": sorted(_secret_names(planned))},
        "notices": [*planned.images.notices, *planned.plan.notices],
        "warnings": list(inputs.catalogue.warnings),
    }
    if requests:
        found["requests"] = {
            name: shown_request(request) for name, request in planned.requests.items()
        }
    return {key: _redacted(each, inputs.secrets) for key, each in found.items()}


def deciding_parts(planned: Planned) -> Json:
    """Return the parts of a plan that somebody or something decides: neither names nor labels."""
    whole = document(planned, requests=False)
    kept = {key: each for key, each in whole.items() if key not in _OF_THE_JOB}
    kept["containers"] = {
        role: _redacted(
            _without(_container(spec, planned.facts[role]), ("name", "labels", "image_id")),
            planned.inputs.secrets,
        )
        for role, spec in planned.containers.items()
    }
    kept["network"] = _without(_network(planned), ("name",))
    return kept


def shown_request(request: Mapping[str, object]) -> Json:
    """Return what the engine is asked with the names of variables alone, and digests of programs."""
    found = {key: _short(each) for key, each in request.items()}
    variables = request.get("Env")
    if isinstance(variables, list):
        found["Env"] = sorted(str(each).partition("=")[0] for each in variables)
    return found


def _without(table: Json, keys: Iterable[str]) -> Json:
    return {key: each for key, each in table.items() if key not in keys}


def _key(pull: Pull) -> str:
    return f"{pull.image} {pull.platform}".rstrip()


def _image(planned: Planned, pull: Pull) -> Json:
    users = [
        role
        for role, each in planned.containers.items()
        if (each.image, each.platform) == (pull.image, pull.platform)
    ]
    found = resolve(pull.image, planned.inputs.catalogue)
    return {
        "for": users,
        "named_by": pull.chosen_by or "the job",
        "pull_policies": list(pull.policies),
        "credentials": found.source if found else None,
        **({"instead_of": pull.instead_of} if pull.instead_of else {}),
        **({"falls_back_to_the_hosts": True} if pull.falls_back else {}),
    }


def _container(spec: ContainerSpec, image: ImageFacts) -> Json:
    privileges = {key: spec.host[key] for key in _PRIVILEGES if key in spec.host}
    binds = (each.split(":", 2) for each in spec.binds)
    return {
        "name": spec.name,
        "image": spec.image,
        "image_id": image.id,
        "platform": spec.platform,
        "user": spec.user or image.user or "root",
        "entrypoint": _short(list(spec.entrypoint)) if spec.entrypoint is not None else None,
        "command": "stands for scripts" if spec.runs_scripts else _short(list(spec.command)),
        "aliases": list(spec.aliases),
        "hostname": spec.hostname,
        "privileges": privileges,
        "limits": {key: each for key, each in spec.host.items() if key not in _PRIVILEGES},
        "mounts": {
            **{target: {"volume": name} for name, target in spec.mounts},
            **{each[1]: {"from": each[0], "options": each[2:]} for each in binds},
            **{target: {"tmpfs": options} for target, options in spec.tmpfs.items()},
        },
        "files": [each.path for each in spec.files],
        "variables": {
            **dict.fromkeys(spec.environment, "in the container's configuration"),
            **dict.fromkeys(spec.secret_environment, "through stdin"),
        },
        "dns": [*spec.dns, *spec.dns_search],
        "extra_hosts": list(spec.extra_hosts),
        "labels": spec.labels,
    }


def _network(planned: Planned) -> Json:
    network, known = planned.plan.network, planned.requests
    request = known.get(f"network/{network.name}")
    chosen = "those of the network that the slot keeps" if request is None else request.get("IPAM")
    return {
        "name": network.name,
        "mtu": network.mtu,
        "addresses": chosen or "chosen by the Docker Engine",
    }


def _daemon(planned: Planned) -> Json | None:
    sidecar = planned.sidecar
    if sidecar is None:
        return None
    own = sidecar.own
    why = f'the service "{own.asked.name}"' if own else "no service is one, and each job gets one"
    return {
        "because_of": "`[[docker.services]]`" if own and own.internal else why,
        "image_named_by": sidecar.pull.chosen_by or "the job",
        "arguments": list(planned.dockerd),
        "tls": sidecar.transport.tls,
        "optional": sidecar.optional,
    }


def _secret_names(planned: Planned) -> Iterable[str]:
    variables = planned.inputs.job.variables
    return {each.key for each in variables if each.secret}.union(planned.inputs.job.secret_keys)


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST:
        digest = hashlib.sha256(value.encode(errors="replace")).hexdigest()[:16]
        return f"({len(value)} characters, sha256 {digest})"
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_short(each) for each in value]
    return value


def _redacted(value: object, secrets: tuple[str, ...]) -> object:
    """Return the same without a secret of the job, which a command or a name may hold."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact(str(key), secrets): _redacted(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each, secrets) for each in value]
    return value
