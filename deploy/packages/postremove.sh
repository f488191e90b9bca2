#!/bin/sh
# `apt-get purge` also removes the settings; nothing else does.
set -e
case ${1:-} in
    purge) rm -rf /etc/dind-executor ;;
esac
