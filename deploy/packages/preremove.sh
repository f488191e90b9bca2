#!/bin/sh
# Before the package's files go: refuses while a job runs. On an upgrade nothing has to be done, as
# versions share no name with the package. dpkg calls this with a word, rpm with 0 at a removal.
set -e
case ${1:-} in
    remove | 0) /opt/dind-executor/package/bin/dind-executor uninstall --from-package ;;
esac
