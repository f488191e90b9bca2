"""The OCI runtime wrapper for a machine whose root lacks a capability."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.rig.paths import RUN, SOURCES
from tests.rig.say import RigError

NAME = "dind-rig-runc"

# By number, as in linux/capability.h: the kernel tells only bits.
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
    "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER "
    "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF "
    "CHECKPOINT_RESTORE"
)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The wrapper as an engine registers it."""

    name: str
    path: Path


def missing_capabilities(status: str | None = None) -> list[str]:
    """Return the capabilities that this machine's kernel knows and its root does not have."""
    text = status or Path("/proc/self/status").read_text(encoding="utf-8")
    bounding = next(line.split()[1] for line in text.splitlines() if line.startswith("CapBnd:"))
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="utf-8"))
    known = _CAPABILITIES.split()[: last + 1]
    return [f"CAP_{name}" for bit, name in enumerate(known) if not int(bounding, 16) >> bit & 1]


def install(search_path: str | None = None) -> Wrapper | None:
    """Write the wrapper if this machine needs one."""
    missing = missing_capabilities()
    if not missing:
        return None
    path = search_path or os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    runc = shutil.which("runc", path=path)
    if runc is None:
        message = "There is no runc on PATH: install the package `runc`."
        raise RigError(message)
    directory = RUN / "bin"
    directory.mkdir(parents=True, exist_ok=True)
    drop = directory / "drop-capabilities.sed"
    lines = [f's/"{name}",//g;s/,"{name}"//g;s/"{name}"//g\n' for name in missing]
    drop.write_text("".join(lines), encoding="utf-8")
    source = (SOURCES / "runtime.sh").read_text(encoding="utf-8")
    wrapper = directory / NAME
    wrapper.write_text(
        source.replace("@DROP@", str(drop)).replace("@RUNC@", runc), encoding="utf-8"
    )
    wrapper.chmod(0o755)
    return Wrapper(NAME, wrapper)
