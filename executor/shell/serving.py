"""What a keeper says of the scripts that it takes, and how it is sent one.

The other side of `keeper.sh`, in words that both use.  `run` needs no more of this package.
"""

READY = "dind-executor: the container is ready"
"""What the keeper prints once an image's entrypoint has handed over to it."""

BEGINS = b"begins"
UNTAKEN = b"untaken"
"""In place of an exit status: there is no place for the script."""
LEFT = b"left"
"""Behind an exit status: processes are left that the container's user may not end."""


def sent_script(script: bytes, nonce: str) -> bytes:
    """Return what a keeper reads from its stdin to run a script.

    The keeper says that it begins and how it ended, each in a line to stdout and one to stderr:
    NUL, `nonce`, the number of the stream, and `begins` or the exit status.  No script prints that by
    chance; one that looks for it in the keeper's memory can lie about its own end.  For a script that
    the keeper cannot keep the status is UNTAKEN; LEFT comes behind it where processes are left that
    it may not end.
    """
    return b"run %s %d\n%s\n%s\n" % (nonce.encode(), len(script) + 1, script, nonce.encode())
