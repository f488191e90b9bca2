#!/bin/sh
# A dind that ends at once, with the words of a dockerd that finds no iptables.
echo 'failed to start daemon: Error initializing network controller: error obtaining controller' \
    'instance: failed to register "bridge" driver: iptables not found' >&2
exit 1
