#!/bin/sh
# The command of a version with its own interpreter, which lies beside it. Everything is compiled already:
# nothing is written (-B) that a package manager would not remove.
here=$(readlink -f "$0")
exec "${here%/*}/python" -I -B -m executor "$@"
