# shellcheck shell=sh
# Takes the files of a container, and the variables that must not show in its configuration.
# After receive_files.sh.
#
# $_environment  the file with those variables, where the container gets one
# $_what         what it takes: variables in front of an entrypoint, else files

umask 077
# shellcheck disable=SC2154 # what is given
receive_files "$_what" || no_stdin
umask 022
# shellcheck disable=SC1090,SC2154 # its path is given
if [ -f "$_environment" ]; then . "$_environment"; rm -f "$_environment"; fi
