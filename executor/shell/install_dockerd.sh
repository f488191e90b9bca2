# shellcheck shell=sh
# Puts a program in dockerd's place, so that dockerd gets its arguments however a service starts it: by
# its image's entrypoint or another one, by a path, from a shell that sets PATH anew.
#
# $_directory  where the program lies, and dockerd itself below it
# $_program    the program: dockerd.sh with what that is given
# $_containerd  what starts a containerd beside it (containerd.sh); empty where it has no use for one
# $_layers     what keeps layers (layers.sh); empty where none are kept
# $_asks       whether dockerd.sh has to know dockerd's version; $_ask, whether containerd.sh has to;
#              $_asked, whether layers.sh has to
# $_mtu        the MTU of the network around; empty where nothing is known of it

# shellcheck disable=SC2154 # what is given
_dockerd=$(command -v dockerd)
if [ -f "$_dockerd" ] && mkdir -p "$_directory/real" &&
  printf '%s' "$_program" >"$_directory/dockerd" && chmod 755 "$_directory/dockerd"
then
  if [ -n "$_containerd" ]; then printf '%s' "$_containerd" >"$_directory/containerd.sh"; fi
  if [ -n "$_layers" ]; then printf '%s' "$_layers" >"$_directory/layers.sh"; fi
  if [ -n "$_ask$_asks$_asked" ] && : >"$_directory/asking"; then
    # It takes as long as the image's entrypoint.
    (
      ("$_dockerd" --version >"$_directory/version"; rm -f "$_directory/asking") >/dev/null 2>&1 &
    )
  fi
  { : >"$_directory/real/dockerd" && mount -o bind "$_dockerd" "$_directory/real/dockerd" &&
    mount -o bind "$_directory/dockerd" "$_dockerd"; } 2>/dev/null ||
    export PATH="$_directory:$PATH" # where nobody may mount, as in a rootless sidecar
fi
if [ -n "$_mtu" ]; then
  : "${DOCKERD_ROOTLESS_ROOTLESSKIT_MTU:=$_mtu}"
  export DOCKERD_ROOTLESS_ROOTLESSKIT_MTU
fi
