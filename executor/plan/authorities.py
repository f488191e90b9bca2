"""The private authorities that builds in dind trust, beside those of an image.

No image can be changed for it, and what a build finds in the file system may end in an image.  So
a program stands before `runc` in the sidecar, and gives each container a file on its /dev, which is
memory, and variables that name it.  Pure: no I/O.
"""

from executor.plan.inputs import Inputs
from executor.shell import given, program
from executor.spec import FileSpec

_DIRECTORY = "/run/dind-executor-authorities"
"""A tmpfs in the sidecar, which a dind without root may write to, too."""
_TMPFS = "rw,exec,nosuid,nodev,mode=1777,size=64m"
_PLACE = "/dev/dind-executor"
"""Where a container in dind finds the file `ca.pem`."""
_VARIABLES = {
    "SSL_CERT_FILE": "ca.pem",  # OpenSSL and what is built on it, Go, curl
    "REQUESTS_CA_BUNDLE": "ca.pem",  # Python's requests and pip, which bring their own
    "NODE_EXTRA_CA_CERTS": "ca.pem",
    "GIT_SSL_CAINFO": "ca.pem",
    "CARGO_HTTP_CAINFO": "ca.pem",
    "APT_CONFIG": "apt.conf",
}


def authority_files(inputs: Inputs) -> tuple[FileSpec, ...]:
    """Return what the sidecar is sent: the certificates, and the program before `runc`."""
    if not inputs.authorities:
        return ()
    variables = "".join(f'"{key}={_PLACE}/{name}",' for key, name in _VARIABLES.items())
    words = given(_d=_DIRECTORY, _place=_PLACE, _variables=variables)
    return (
        FileSpec(f"{_DIRECTORY}/authorities.pem", inputs.authorities),
        FileSpec(f"{_DIRECTORY}/runc.sh", f"{words}{program('runc')}".encode()),
    )


def authority_prelude(inputs: Inputs) -> str:
    """Return the program that puts the other one in its place, before dockerd looks for `runc`."""
    if not inputs.authorities:
        return ""
    return given(_d=_DIRECTORY, _place=_PLACE) + program("authorities")


def authority_memory(inputs: Inputs) -> dict[str, str]:
    """Return the sidecar's tmpfs for it."""
    return {_DIRECTORY: _TMPFS} if inputs.authorities else {}
