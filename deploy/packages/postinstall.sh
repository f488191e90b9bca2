#!/bin/sh
# After the package's files are there: makes a version of them, has the next jobs use it, and writes what
# the host needs. dpkg calls this with `configure` and other words, rpm with none or a number.
set -e
case ${1:-} in
    abort-*) ;;
    *) /opt/dind-executor/package/bin/dind-executor install --offline ;;
esac
