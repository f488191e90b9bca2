"""Reads the seccomp profiles that the administrator's security options name."""

from collections.abc import Iterable

from executor.errors import SettingsError
from executor.files import read_regular
from executor.quick_json import COMPACT, dumps, loads

_MOST_BYTES = 1024 * 1024


def read_profiles(options: Iterable[str]) -> dict[str, str]:
    """Return, for each option that names a profile's file, the option with the profile itself.

    Raises SettingsError for a file that cannot be read or is no JSON.
    """
    return {each: f"seccomp={_profile(each[8:])}" for each in options if _names_file(each)}


def _names_file(option: str) -> bool:
    return option.startswith(("seccomp=/", "seccomp:/"))


def _profile(path: str) -> str:
    """Return a profile on one line."""
    try:
        profile = loads(read_regular(path, _MOST_BYTES))
    except OSError as error:
        raise SettingsError(
            f"The seccomp profile {path} cannot be read: {error.strerror}. Correct"
            " `security_opt` or `services_security_opt` of `[docker]`."
        ) from None
    except (ValueError, RecursionError):
        raise SettingsError(f"The seccomp profile {path} is not JSON. Correct the file.") from None
    return dumps(profile, COMPACT)
