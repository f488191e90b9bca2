#!/bin/sh
# What the images of gitlab-runner run under their init.
exec gitlab-runner "$@"
