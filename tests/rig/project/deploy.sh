#!/bin/sh
# Stands for an application's own deploy script: run the released image once.
set -eu
docker pull "$CONTAINER_RELEASE_IMAGE"
docker run --rm "$CONTAINER_RELEASE_IMAGE"
echo "deployed $CONTAINER_RELEASE_IMAGE"
