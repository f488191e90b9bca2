"""Sends a started container its files, and waits until it has taken them.

In a build or helper container that is when its image's entrypoint has handed over to the keeper.
Nothing secret is sent before our own program has asked for it and has proved that stdin reaches
it: an entrypoint may give our stdin to whatever it likes.  Each step answers the one before, so a
TLS connection is never used in both directions at once.
"""

from collections.abc import Callable

from executor.engine.container_request import sent_on_stdin
from executor.engine.frames import Sink
from executor.engine.talk import Step, Talk
from executor.engine.wire import Reader
from executor.errors import EnvironmentLost, SettingsError, UnusableImage
from executor.shell import greetings
from executor.shell.greetings import FILES
from executor.shell.receiver import sent_files
from executor.shell.serving import READY
from executor.spec import ContainerSpec

_DROPPED = "dropped the command that it got"


class StartedKeeper:
    """A build or helper container whose entrypoint may not have handed over yet."""

    def __init__(
        self,
        spec: ContainerSpec,
        reader: Reader,
        patience_seconds: float,
        *,
        asks: bool = True,
        exit_code: Callable[[], int | None] = lambda: None,
        dropped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the stream that the container is attached to.

        A keeper of an older version does not ask for its files.  `exit_code` is asked where nothing
        comes any more, and raises what says that the image is not to blame; `dropped`, while the
        container goes on in silence, tells whether no process there has the keeper's command any
        more.
        """
        self._spec = spec
        self._reader = reader
        self._patience_seconds = patience_seconds
        self._asks = asks
        self._exit_code = exit_code
        self._dropped = dropped

    def wait(self, sink: Sink) -> None:
        """Send the container its files, and wait until the keeper runs.

        What the entrypoint prints meanwhile goes to `sink`.  Raises UnusableImage where the
        entrypoint ends first, or never hands over; EngineUnavailable or EnvironmentLost where that
        is not its own doing.
        """
        steps = _steps(self._spec)
        first = b"" if self._asks else b"".join(step.answer for step in steps)
        steps = [*(steps if self._asks else []), Step(f"{READY}\n".encode())]
        talk = Talk(self._spec, self._reader, self._patience_seconds, steps, sink)
        how = "exited without starting it"
        try:
            talk.send(first)
            if not talk.go_on(self._dropped if self._asks else None):
                how = _DROPPED
        except TimeoutError:
            how = f"did not start it within {self._patience_seconds:.0f} seconds"
        except OSError:
            pass
        finally:
            self._reader.socket.close()
        talk.flush()
        if talk.over:
            return
        code = None if how == _DROPPED else self._exit_code()
        raise self._failure(how if code is None else f"{how} (exit code {code})")

    def _failure(self, how: str) -> SettingsError | UnusableImage:
        if self._spec.labels.get("dind-executor.type") == "helper":
            return SettingsError(
                f'The helper image "{self._spec.image}" cannot run scripts: its entrypoint'
                f" got a command and {how}. Set `[docker] helper_image` to another image,"
                " or leave it unset."
            )
        return UnusableImage(
            f'The entrypoint of the image "{self._spec.image}" must start the job\'s shell,'
            f' but it {how}. End it with `exec "$@"`, or disable it with `entrypoint:'
            ' [""]` in the job. If the entrypoint does the work itself, call it from'
            " `script:`."
        )


class StartedReceiver:
    """A service that may not have taken its files yet."""

    def __init__(self, spec: ContainerSpec, reader: Reader, patience_seconds: float) -> None:
        """Take the stream that leads to the container's stdin."""
        self._spec = spec
        self._reader = reader
        self._patience_seconds = patience_seconds

    def wait(self, _sink: Sink) -> None:
        """Send the container its files, and wait until they are taken.

        One that has ended already shows to whoever needs it.  Raises EnvironmentLost where it takes
        nothing.
        """
        steps = [*_steps(self._spec), Step(greetings.has_all(self._spec.name))]
        talk = Talk(self._spec, self._reader, self._patience_seconds, steps, _nowhere)
        try:
            talk.go_on()
        except TimeoutError:
            raise EnvironmentLost(
                f"The container {self._spec.name} did not read its files within"
                f" {self._patience_seconds:.0f} seconds. The host may be overloaded, or the"
                f' `sh` of its image "{self._spec.image}" may not work. Retry the job.'
            ) from None
        except OSError:
            pass
        finally:
            self._reader.socket.close()


Started = StartedKeeper | StartedReceiver


def _nowhere(_descriptor: int, _data: bytes) -> None:
    """Take what a service prints: it stands in the service's log."""


def _steps(spec: ContainerSpec) -> list[Step]:
    """Return what a container says before it has all its files, and what it is sent for each.

    Variables go to a program in front of the entrypoint, which may print them as it likes.
    """
    steps = []
    for what, files in sent_on_stdin(spec):
        challenge = greetings.challenge()
        lines = [line for _path, content in files for line in content.split(b"\n")]
        seen, known = ((challenge.strip(),), tuple(lines)) if what == FILES else ((), ())
        steps.append(Step(greetings.asks(spec.name, what), challenge, seen))
        answer = sent_files(files, challenge)
        steps.append(Step(greetings.hears(spec.name, challenge), answer, known))
    return steps
