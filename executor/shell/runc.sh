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

# Finds a file of the image's as `$_f`.  Where a symbolic link leads counts from the image's root: it
# must not lead to a file of the sidecar's.
find_file() {
  _rest=$1
  _f=$_root
  _links=0
  while [ -n "$_rest" ]; do
    _part=${_rest%%/*}
    case $_rest in */*) _rest=${_rest#*/} ;; *) _rest= ;; esac
    case $_part in
      "" | .) continue ;;
      ..)
        [ "$_f" = "$_root" ] || _f=${_f%/*}
        continue ;;
    esac
    if [ -L "$_f/$_part" ]; then
      _links=$((_links + 1))
      [ "$_links" -le 40 ] && _target=$(readlink "$_f/$_part") || return 1
      case $_target in /*) _f=$_root ;; esac
      _rest=$_target${_rest:+/$_rest}
    else
      _f=$_f/$_part
    fi
  done
  [ -f "$_f" ] && [ -s "$_f" ]
}

# A file with what the image trusts and the authorities; one for all images that trust the same.
find_trusted() {
  _root=$(sed -n 's/.*"root":{"path":"\([^"]*\)".*/\1/p' "$1/config.json")
  case $_root in /*) ;; *) _root=$1/$_root ;; esac
  _key=own
  for _a in etc/ssl/certs/ca-certificates.crt etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem \
    var/lib/ca-certificates/ca-bundle.pem etc/ssl/ca-bundle.pem etc/ssl/cert.pem
  do
    if find_file "$_a"; then
      # No image may choose what another one trusts: a checksum that is easily made would let it.
      _key=$(sha256sum <"$_f") || return 1
      _key=${_key%% *}
      break
    fi
    _f=$_d/ca.pem
  done
  _trusted=$_d/$_key
  [ -s "$_trusted/ca.pem" ] || (
    umask 022 # a container's own stays as it is
    mkdir -p "$_trusted" &&
      printf 'Acquire::https::CAInfo "%s/ca.pem";\n' "$_place" >"$_trusted/apt.conf" &&
      { cat "$_f"; [ "$_key" = own ] || { echo; cat "$_d/authorities.pem"; }; } >"$_trusted/$$" &&
      mv -f "$_trusted/$$" "$_trusted/ca.pem" && exit
    rm -f "$_trusted/$$"
    exit 1
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
