# shellcheck shell=sh
# Stands before runc in the sidecar: gives each container the private authorities.
#
# $_runc       the real one
# $_d          the directory with `authorities.pem`, and `ca.pem` for images that trust nobody
# $_place      where the container finds them
# $_variables  the variables that name them, as JSON has them in a list, each with a comma
# shellcheck disable=SC2154 # what is given

_bundle=
_process=
_p=
for _a; do
  case $_p in
    --bundle | -b) _bundle=$_a ;;
    --process | -p) _process=$_a ;;
  esac
  case $_a in
    --bundle=*) _bundle=${_a#*=} ;;
    --process=*) _process=${_a#*=} ;;
  esac
  _p=$_a
done
_id=${_p##*/}

# In JSON no quoted text holds these words: its own quotes are escaped.  A variable of the image or
# the job comes later in the list, and the last one of a name counts.
_named='s|"env":\[|&'$_variables'|'

# A file with what the image trusts and the authorities; one for all images that trust the same.
find_trusted() {
  _root=$(sed -n 's/.*"root":{"path":"\([^"]*\)".*/\1/p' "$1/config.json")
  case $_root in /*) ;; *) _root=$1/$_root ;; esac
  _f=$_d/ca.pem
  _key=own
  for _a in etc/ssl/certs/ca-certificates.crt etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem \
    var/lib/ca-certificates/ca-bundle.pem etc/ssl/ca-bundle.pem etc/ssl/cert.pem
  do
    if [ -f "$_root/$_a" ] && [ -s "$_root/$_a" ]; then
      _f=$_root/$_a
      _key=$(cksum <"$_f")
      _key=${_key%% *}-${_key##* }
      break
    fi
  done
  _trusted=$_d/$_key
  [ -s "$_trusted/ca.pem" ] || (
    umask 022 # a container's own stays as it is
    mkdir -p "$_trusted" &&
      printf 'Acquire::https::CAInfo "%s/ca.pem";\n' "$_place" >"$_trusted/apt.conf" &&
      { cat "$_f"; [ "$_key" = own ] || { echo; cat "$_d/authorities.pem"; }; } >"$_trusted/$$" &&
      mv -f "$_trusted/$$" "$_trusted/ca.pem"
  )
}

# Only what lies on a tmpfs of the container's own leaves no trace in an image.
if [ -n "$_bundle" ] && find_trusted "$_bundle"; then
  _mount='{"destination":"'$_place'","type":"bind","source":"'$_trusted'","options":["rbind","ro"]}'
  _c=$(sed 's|{"destination":"/dev","type":"tmpfs"[^}]*}|&,'"$_mount"'|;t named
b
:named
'"$_named" "$_bundle/config.json")
  case $_c in
    *"$_place"*)
      printf '%s\n' "$_c" >"$_bundle/config.json"
      : >"$_d/made/$_id" ;;
  esac
elif [ -n "$_process" ] && [ -e "$_d/made/$_id" ]; then
  _c=$(sed "$_named" "$_process") && printf '%s\n' "$_c" >"$_process"
fi
exec "$_runc" "$@"
