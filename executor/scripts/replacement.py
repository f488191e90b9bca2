"""Makes a build or helper container a second time, where the first one is gone.

A cancel takes the build container with it, so that after_script begins in a clean one, as under
the Docker executor; and a prune on the host, or the kernel out of memory, may take either.  What
prepare asked of the engine lies in the job's temporary directory, beside the payload whose secrets
it repeats: private, and gone with the job.

Where a script left or ended what only a restart of the container can repair, the old one is
started again, as the Docker executor does for each sub-stage.
"""

import time

from executor.engine.container_request import sent_to
from executor.engine.docker import Engine
from executor.engine.gate import Gate
from executor.log import write_through
from executor.quick_json import dumps, loads
from executor.runner import notes
from executor.runner.making import Making, is_over
from executor.scripts.cancel import ENTRYPOINT_SECONDS
from executor.spec import ContainerSpec, FileSpec, Link

_REMOVAL_TRIES = 50
_REMOVAL_PAUSE_SECONDS = 0.1


def keep(temp_dir: str, spec: ContainerSpec, request: object) -> None:
    """Note what it takes to make a container again: the engine's request, and its files."""
    noted = {
        "image": spec.image,
        "platform": spec.platform,
        "labels": spec.labels,
        "files": [(path, content.decode("latin-1")) for path, content in sent_to(spec)],
        "command": spec.command,
        "request": request,
        "elsewhere": spec.elsewhere,
        "link": [spec.link.path, spec.link.target, list(spec.link.unless)] if spec.link else None,
    }
    notes.leave(temp_dir, notes.request_of(spec.name), dumps(noted).encode())


def replace(engine: Engine, temp_dir: str, name: str, *, in_place: bool = False) -> bool:
    """Make the container again, in place of what is left of the old one; tell whether it stands.

    `in_place` starts the old one again where it is there, with the files that it has.  Nothing is
    made where prepare left no note, nor where cleanup has begun: nothing may appear then.  Raises
    what `Engine.create` and `Engine.start` do.
    """
    text = notes.read(temp_dir, notes.request_of(name))
    if text is None:
        return False
    noted = loads(text)
    link = noted.get("link")  # an older version noted none
    spec = ContainerSpec(
        name=name,
        image=noted["image"],
        labels=noted["labels"],
        network="",
        files=tuple(FileSpec(path, text.encode("latin-1")) for path, text in noted["files"]),
        platform=noted["platform"],
        command=tuple(noted.get("command", ())),
        link=Link(link[0], link[1], tuple(link[2])) if link else None,
        elsewhere=noted.get("elsewhere", False),
        runs_scripts=True,
    )
    engine.connect()
    gate = Gate()
    with Making(temp_dir, gate.close):
        if is_over(temp_dir):
            return False
        if not (in_place and gate.do(lambda: engine.stop(name, ENTRYPOINT_SECONDS))):
            gate.do(lambda: _clear(engine, spec))
            gate.do(lambda: engine.create_as(spec, noted["request"]))
        started = gate.do(lambda: engine.start(spec, asks="command" in noted))
    if started:
        started.wait(write_through)
    return True


def _clear(engine: Engine, spec: ContainerSpec) -> None:
    """Remove what is left of the old container, or wait until whoever removes it is done."""
    for _ in range(_REMOVAL_TRIES):
        if engine.remove(spec.name, spec.labels):
            return
        time.sleep(_REMOVAL_PAUSE_SECONDS)
