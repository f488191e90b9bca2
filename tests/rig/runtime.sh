#!/bin/sh
# Stands in front of runc on a machine whose root lacks a capability. An engine
# of 20.10 asks for every capability there is in a privileged container, and
# runc fails on the first one that it cannot give; so the missing ones are
# taken out of what the engine asks for. Only builtins, but for the one sed:
# this is on the way of every dind container.
asked_by=
for argument in "$@"; do
    case $asked_by in
        --bundle) sed -i -f @DROP@ "$argument/config.json" || exit ;;
        --process) sed -i -f @DROP@ "$argument" || exit ;;
    esac
    asked_by=$argument
done
exec @RUNC@ "$@"
