"""The colours of gitlab-runner's job log, as a terminal takes them.

Pure.
"""

CYAN = "\x1b[36;1m"
GREEN = "\x1b[32;1m"
RED = "\x1b[31;1m"
YELLOW = "\x1b[33;1m"
RESET = "\x1b[0;m"


def coloured(text: str, colour: str) -> str:
    """Return the text in a colour; as it is where the colour is empty."""
    return f"{colour}{text}{RESET}" if colour else text
