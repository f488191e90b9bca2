"""The runner user's own docker configuration and its credential helpers, on the runner host."""

import os
from collections.abc import Mapping

from executor.files import read_regular
from executor.notation.docker_config import ConfigFile, HelperFailed

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from subprocess import CompletedProcess

TIMEOUT_SECONDS = 30
_MOST_BYTES = 1024 * 1024
_SIGQUIT = 3
_EXIT_STATUS_OF_GO = 2


def read_host_config(environ: Mapping[str, str]) -> ConfigFile | None:
    """Return the docker configuration of the runner's user, None where there is none.

    `$DOCKER_CONFIG/config.json` stands in for `~/.docker/config.json`, as for the docker client;
    `~/.dockercfg` is what clients before 1.7 wrote.
    """
    home = environ.get("HOME", "")
    directory = environ.get("DOCKER_CONFIG", "") or (home and f"{home}/.docker")
    for path in (directory and f"{directory}/config.json", home and f"{home}/.dockercfg"):
        if not path:
            continue
        try:
            return ConfigFile(path, read_regular(path, _MOST_BYTES).decode())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return ConfigFile(path, problem=f"it cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            return ConfigFile(path, problem="it is not UTF-8 text")
    return None


def run_credential_helper(program: str, verb: str, text: str) -> str:
    """Run a credential helper of the administrator's and return what it prints.

    It sees the runner's environment without the job's variables. What it prints where it fails
    is not repeated: helpers have been seen to print the secret with the error. A helper that the
    graceful stop of gitlab-runner has ended is run once more.
    """
    done = _run(program, verb, text)
    if _is_quit(done):
        done = _run(program, verb, text)
    if done.returncode:
        raise HelperFailed(f"{program} {verb} ended with exit status {done.returncode}")
    return done.stdout


def _is_quit(done: "CompletedProcess[str]") -> bool:
    """Tell whether a helper ended by gitlab-runner's graceful stop, and not on its own account.

    systemd sends SIGQUIT to the helper too, and a Go program cannot be made to ignore it: it ends
    with exit status 2 and a trace, others by the signal.
    """
    of_go = done.returncode == _EXIT_STATUS_OF_GO and done.stderr.startswith("SIGQUIT")
    return of_go or done.returncode == -_SIGQUIT


def _run(program: str, verb: str, text: str) -> "CompletedProcess[str]":
    import subprocess  # only where a helper is configured

    environ = {key: os.environ[key] for key in os.environ if not key.startswith("CUSTOM_ENV_")}
    try:
        return subprocess.run(
            [program, verb],
            input=text,
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=environ,
            timeout=TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not on the PATH of gitlab-runner") from None
    except OSError as error:
        raise HelperFailed(f"{program} cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise HelperFailed(f"{program} {verb} took longer than {TIMEOUT_SECONDS} seconds") from None
    except UnicodeDecodeError:
        raise HelperFailed(f"{program} {verb} printed something other than UTF-8 text") from None
