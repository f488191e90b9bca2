"""What a keeper is sent, and the words that it answers with."""

from executor.shell import program
from executor.shell.serving import BEGINS, LEFT, UNTAKEN, sent_script


def test_a_script_is_sent_between_two_lines_with_its_nonce() -> None:
    """The first line has its size with the newline behind it, the last one proves that it came."""
    assert sent_script(b"exit 3", "nonce") == b"run nonce 7\nexit 3\nnonce\n"


def test_the_keeper_answers_with_the_words_that_are_listened_for() -> None:
    """Its text and the module that reads its lines agree."""
    text = program("keeper").encode()

    assert b"say '1 %s'" % BEGINS in text
    assert b"_code=%s" % UNTAKEN in text
    assert b'_left=" %s"' % LEFT in text
