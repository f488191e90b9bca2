"""What an entrypoint may do with the command that it gets, as far as its words tell."""

import re
from collections.abc import Sequence

from executor.shell import given, program
from executor.shell.serving import READY

_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "mksh"))
_OPTIONS_WITH_A_WORD = frozenset(("--rcfile", "--init-file"))

_MARK, _END = "dind-executor: process", "dind-executor: that is all"

# Patterns; compiling them would cost every job, and few images need them.
_AT_ONCE = r"\s*(?:cd|export|set|umask|ulimit)\s[^;&|\n$`()<>]*(?:&&|;)"
_HARMLESS = r"[<>]&[0-9-]|\$\{[A-Za-z_]\w*(?::?[-=?+][^$`{}]*)?\}"
_GOES_ON = r"[;&|\n`(){}]|\$[^A-Za-z_]|^\s*(?:\.|source|eval)\s"


def takes_one_word(entrypoint: Sequence[str]) -> bool:
    """Tell whether an entrypoint is `sh -c`, which makes commands of the first word behind it only.

    Other options may stand before `-c` and behind it (`bash --login -c`, `sh -e -o pipefail -c`).
    The Docker executor's script runs behind one all the same: a `sh` without arguments reads it.
    """
    shells = [at for at, word in enumerate(entrypoint) if _is_shell(word)]
    return bool(shells) and _text_at(entrypoint, shells[-1] + 1) == len(entrypoint)


def lister() -> tuple[str, ...]:
    """Return the command that prints the arguments of all processes; see `may_hand_over`."""
    return ("sh", "-c", given(_mark=_MARK, _end=_END) + program("list_processes"))


def may_hand_over(listed: bytes) -> bool:
    """Tell whether a process may still start the keeper, from what the lister printed.

    That is a process which has the keeper's command or a shell among its arguments (`dockerize -wait
    tcp://db:5432 bash`), or a shell: it may run a script that becomes one that reads its stdin.  A
    shell that waits for its only command does neither; what that one does counts.  In doubt, a
    process may.
    """
    text, found, _rest = listed.decode(errors="replace").rpartition(f"\n{_END}\n")
    if not found:
        return True
    processes = [each.split("\0")[:-1] for each in text.split(f"\n{_MARK}\n")[1:]]
    # The lister is there, too.
    others = [each for each in processes if each and not any(_MARK in word for word in each)]
    return not others or any(map(_may_start_it, others))


def _may_start_it(arguments: Sequence[str]) -> bool:
    at = 1 if arguments[0].rpartition("/")[2] == "busybox" else 0
    if not _is_shell("".join(arguments[at : at + 1])):
        return any(READY in word or _is_shell(word) for word in arguments)
    text = _text_at(arguments, at + 1)
    return text is None or text >= len(arguments) or not _is_one_command(arguments[text])


def _is_shell(word: str) -> bool:
    """Tell whether a word names a shell; that of a login begins with a dash."""
    return word.removeprefix("-").rpartition("/")[2] in _SHELLS


def _text_at(words: Sequence[str], at: int) -> int | None:
    """Return where the text of `sh -c` stands, with the shell's options from `at` on.

    It may stand behind all words.  None without such a text.
    """
    takes_commands, has_word = False, False
    for number in range(at, len(words)):
        word = words[number]
        if has_word:
            has_word = False
        elif word.startswith("--"):
            has_word = word in _OPTIONS_WITH_A_WORD
        elif word[:1] in {"-", "+"} and word[1:].isalpha():
            takes_commands = takes_commands or (word[0] == "-" and "c" in word)
            has_word = word.endswith(("o", "O"))
        else:
            return number if takes_commands else None
    return len(words) if takes_commands and not has_word else None


def _is_one_command(text: str) -> bool:
    """Tell whether nothing comes behind a text's only command, which does not get the arguments.

    In doubt, that is not so.
    """
    at_once, begin = re.compile(_AT_ONCE), 0
    while found := at_once.match(text, begin):
        begin = found.end()
    return not re.search(_GOES_ON, re.sub(_HARMLESS, "", text[begin:]).strip())
