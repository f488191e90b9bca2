"""What becomes of the parts of a registration that make Docker-in-Docker work: pure.

The sidecar brings its own certificates, alias and privileges, so settings by hand for them are left
out.
"""

from collections.abc import Mapping

from executor.commands.migrate.environment import environment_notes, variables_of
from executor.commands.migrate.mounts import kept_volumes
from executor.commands.migrate.reach import Reach, reach_of
from executor.commands.migrate.service import carry_services, names_of_sidecar

Table = Mapping[str, object]
_LIMITS = ("service_memory", "service_memory_swap", "service_cpus", "service_cpuset_cpus")


def sidecar_of(
    runner: Table, docker: Table, tables: dict[str, dict[str, object]], notes: list[str]
) -> dict[str, object]:
    """Set what makes the sidecar; return the keys of `[runners.docker]` that are left."""
    rest = dict(docker)
    _privileges(rest, tables, notes)
    volumes = rest.get("volumes")
    if isinstance(volumes, list):
        rest["volumes"] = kept_volumes(volumes, docker, variables_of(runner), notes) or None
    carry_services(rest, tables, notes)
    reach = reach_of(variables_of(runner), docker, names_of_sidecar(rest))
    notes += environment_notes(variables_of(runner), reach)
    _limits(rest, reach, notes)
    return {name: value for name, value in rest.items() if value is not None}


def _privileges(
    rest: dict[str, object], tables: dict[str, dict[str, object]], notes: list[str]
) -> None:
    privileged, services = rest.get("privileged", False), rest.get("services_privileged")
    if isinstance(privileged, bool):
        rest.pop("privileged", None)
    if privileged is True:
        notes.append(
            "[runners.docker] privileged: not carried over. `[dind] privileged` makes the sidecar"
            " privileged, and Docker needs nothing else. If jobs need a privileged build container"
            " for another reason, set `[docker] privileged = true`, and narrow it with"
            " `allowed_privileged_images`."
        )
    if services is True:
        rest.pop("services_privileged")
        notes.append(
            "[runners.docker] services_privileged: not carried over. `[dind] privileged` makes the"
            " sidecar privileged. If other services need it, set `[docker] services_privileged ="
            " true`."
        )
    sidecar = (privileged if services is None else services) is True
    _runtime(rest.get("runtime"), tables, notes, privileged=sidecar)
    readable = isinstance(privileged, bool) and isinstance(services, bool | None)
    if not sidecar and readable and not _is_sysbox(rest.get("runtime")):
        notes.append(
            "[runners.docker] privileged: it was off for services, so jobs had no Docker-in-Docker."
            " With dind-executor each job gets a sidecar, which is privileged unless `[dind] runtime`"
            " names a runtime that needs no privileges (docs/security.md)."
        )


def _runtime(
    runtime: object, tables: dict[str, dict[str, object]], notes: list[str], *, privileged: bool
) -> None:
    """Give the sidecar the runtime of the services, if dind can run in it as they did."""
    if not runtime:
        return
    if not privileged and not _is_sysbox(runtime):
        notes.append(
            "[runners.docker] runtime: carried over for build, helper and services, but not for the"
            f" sidecar: Docker-in-Docker needs privileges in {runtime}, and services had none. What"
            " a job builds runs outside of that runtime, in a privileged sidecar. If the runtime"
            " must isolate jobs, keep the Docker executor for this runner."
        )
        return
    tables["dind"]["runtime"] = runtime
    if not _is_sysbox(runtime):
        tables["dind"]["privileged"] = True
    notes.append(
        "[runners.docker] runtime: carried over for build, helper and services, and as `[dind]"
        " runtime` for the sidecar."
    )


def _is_sysbox(runtime: object) -> bool:
    """Tell whether dind needs no privileges in a runtime."""
    return "sysbox" in str(runtime)


def _limits(rest: Table, reach: Reach, notes: list[str]) -> None:
    """Name the limits of services that bounded no build, because no service of the job ran it."""
    if not reach.builds_elsewhere:
        return
    notes += [
        f"[runners.docker] {key}: it also limits the sidecar, with all that jobs build and run in"
        " it. Until now another daemon ran these, without that limit. Decide what they need, and"
        f" set `[dind] {key.removeprefix('service_')}`."
        for key in _LIMITS
        if rest.get(key)
    ]
