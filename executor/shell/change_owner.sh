# shellcheck shell=sh
# Changes the owner of a directory and all in it, where it is there.
#
# $_owner      user and group, as numbers
# $_directory  the directory
# shellcheck disable=SC2154 # what is given

[ ! -e "$_directory" ] || chown -RP -- "$_owner" "$_directory"
