"""The systemd unit of gitlab-runner: as systemd has it, or as its files say where systemd cannot be asked."""

from collections.abc import Iterator

from executor.commands.doctor.facts import Service
from executor.commands.doctor.files import Files
from executor.commands.doctor.programs import printed

_UNIT = "gitlab-runner.service"
_PLACES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_RUNS = "/run/systemd/system"
_PROPERTIES = (
    "FragmentPath",
    "KillMode",
    "KillSignal",
    "TimeoutStopUSec",
    "PrivateTmp",
    "User",
    "ExecStart",
    "MainPID",
)


def read_service(files: Files) -> Service:
    """Return what is known of the unit."""
    if files.is_own and files.stat(_RUNS):
        told = printed(("systemctl", "show", "-p", ",".join(_PROPERTIES), _UNIT))
        pairs = (line.partition("=") for line in told.splitlines())
        properties = {name: value for name, _, value in pairs}
        # Of a unit that is not there systemd says what the defaults are.
        if properties:
            return Service(bool(properties.get("FragmentPath")), properties, "by systemctl")
    lines = list(_lines(files))
    return Service(bool(lines), dict(lines), "by the unit's files")


def _lines(files: Files) -> Iterator[tuple[str, str]]:
    """Yield the keys of `[Service]` from the unit and its drop-ins, in systemd's order."""
    unit = next((each for each in _PLACES if files.stat(f"{each}/{_UNIT}")), "")
    if not unit:
        return
    yield from _service_of(files.text(f"{unit}/{_UNIT}"))
    drop_ins: dict[str, str] = {}
    for place in reversed(_PLACES):
        directory = f"{place}/{_UNIT}.d"
        drop_ins |= {each: directory for each in files.names(directory) if each.endswith(".conf")}
    for name in sorted(drop_ins):
        yield from _service_of(files.text(f"{drop_ins[name]}/{name}"))


def _service_of(text: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped == "[Service]"
        elif inside and "=" in stripped and not stripped.startswith(("#", ";")):
            name, _, value = stripped.partition("=")
            yield name.strip(), value.strip()
