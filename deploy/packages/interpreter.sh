#!/bin/sh
# Builds CPython with every library that it needs beyond glibc, inside the root in which this runs:
# `interpreter.sh ARCHITECTURE`. Debian's sources lie in /build/sources; the result is
# /build/ARCHITECTURE/python. All paths are fixed, so that two builds are the same bytes.
set -eu
architecture=$1
case $architecture in
    amd64) triplet=x86_64-linux-gnu target=linux-x86_64 ;;
    arm64) triplet=aarch64-linux-gnu target=linux-aarch64 ;;
    *) echo "ERROR: nobody has tried to build for $architecture" >&2 && exit 2 ;;
esac
built=/build/$architecture
libraries=$built/libraries
jobs=$(nproc)
export LC_ALL=C.UTF-8 TZ=UTC PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
export CC="$triplet-gcc" AR="$triplet-gcc-ar" RANLIB="$triplet-gcc-ranlib" READELF="$triplet-readelf"
export CFLAGS='-O2 -g0 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2'

# What Debian changes about where files lie, which is not where they lie here.  Everything else that
# it changes, above all the corrections of faults, is taken.
skipped=' deb-locations distutils-install-layout sysconfig-debian-schemes tkinter-import gdbm-import
 link-opt setup-modules profiled-build langpack-gettext disable-sem-check multiarch ensurepip-disabled
 destshared-location min-tempfile min-lib-argparse min-argparse-no-shutil min-ntpath-import min-compileall
 min-pyrepl-import makefile-bootstrap test-freeze-strip-libdir stable-abi-multiarch no-sphinx-8.2
 Add-Debian-specific-documentation-path-to-IDLE-menu '
skipped=$(printf %s "$skipped" | tr '\n' ' ')

# Unpacks a source package into $built/NAME: `unpack NAME [OPTION OF dpkg-source]`.
unpack() {
    name=$1
    shift
    rm -rf "${built:?}/$name"
    dpkg-source --no-check "$@" -x /build/sources/"$name"_*.dsc "$built/$name" >/dev/null 2>&1
    cd "$built/$name"
    # OpenSSL and Python have the time of their build in them: that of the sources is the same in each.
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l debian/changelog -S Timestamp)
    export SOURCE_DATE_EPOCH
}

build_libraries() {
    unpack zlib
    CHOST=$triplet ./configure --static --prefix="$libraries"
    make -j "$jobs" install

    unpack bzip2
    make -j "$jobs" CC="$CC" AR="$AR" RANLIB="$RANLIB" CFLAGS="$CFLAGS -D_FILE_OFFSET_BITS=64" libbz2.a
    install -D -m 644 -t "$libraries/lib" libbz2.a
    install -D -m 644 -t "$libraries/include" bzlib.h

    unpack xz-utils
    ./configure --host="$triplet" --prefix="$libraries" --disable-shared --enable-static \
        --disable-dependency-tracking --disable-doc --disable-nls --disable-scripts \
        --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-lzma-links
    make -j "$jobs" install

    # Certificates are the host's.  Its settings for OpenSSL are not read: they are for another one.
    unpack openssl
    ./Configure "$target" --prefix="$libraries" --libdir=lib --openssldir=/etc/ssl \
        no-shared no-module no-tests no-docs no-apps no-legacy no-engine no-dso no-autoload-config
    make -j "$jobs" build_libs
    make install_dev
}

unpack_python() {
    unpack python3.13 --skip-patches
    while read -r patch _; do
        case $patch in '' | '#'*) continue ;; esac
        name=${patch%.*}
        case $skipped in *" $name "*) continue ;; esac
        patch -s -f -p1 <"debian/patches/$patch"
    done <debian/patches/series
    # What nearly each call of a stage needs is a part of the interpreter, and is there at once.
    mkdir -p obj/Modules
    cat >obj/Modules/Setup.local <<'MODULES'
*static*
_bisect _bisectmodule.c
_contextvars _contextvarsmodule.c
_datetime _datetimemodule.c
_heapq _heapqmodule.c
_json _json.c
_opcode _opcode.c
_posixsubprocess _posixsubprocess.c
_queue _queuemodule.c
_random _randommodule.c
_socket socketmodule.c
_struct _struct.c
array arraymodule.c
binascii binascii.c
fcntl fcntlmodule.c
grp grpmodule.c
math mathmodule.c
select selectmodule.c
termios termios.c
zlib zlibmodule.c -lz
*disabled*
_ctypes _curses _curses_panel _dbm _gdbm _sqlite3 _tkinter _uuid nis readline
_lsprof _testbuffer _testcapi _testclinic _testclinic_limited _testexternalinspection _testimportmultiple
_testinternalcapi _testlimitedcapi _testmultiphase _testsinglephase _ctypes_test
_xxtestfuzz xxlimited xxlimited_35 xxsubtype _interpchannels _interpqueues _interpreters
MODULES
}

build_python() {
    unpack_python
    cd obj
    set -- --prefix=/opt/dind-executor/python --build=x86_64-linux-gnu --host="$triplet" \
        --with-openssl="$libraries" --with-openssl-rpath=no --without-ensurepip \
        --without-doc-strings --disable-test-modules --with-builtin-hashlib-hashes=md5,sha1,sha2,sha3,blake2
    if [ "$architecture" != amd64 ]; then
        # Python's own build runs a Python of the same version: the one that has been built for here.
        set -- "$@" --with-build-python=/build/amd64/python/bin/python3.13 \
            ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no ac_cv_buggy_getaddrinfo=no
    fi
    # pkg-config knows what the root has, and none of it is wanted.
    export PKG_CONFIG=false
    # configure's own way to have OpenSSL in the modules that use it, and no file of its own.
    export PY_UNSUPPORTED_OPENSSL_BUILD=static
    ../configure "$@" \
        CPPFLAGS="-I$libraries/include" LDFLAGS="-L$libraries/lib -Wl,--exclude-libs,ALL -Wl,-z,relro,-z,now" \
        ZLIB_CFLAGS="-I$libraries/include" ZLIB_LIBS="-L$libraries/lib -lz -lpthread -ldl" \
        BZIP2_CFLAGS="-I$libraries/include" BZIP2_LIBS="-L$libraries/lib -lbz2" \
        LIBLZMA_CFLAGS="-I$libraries/include" LIBLZMA_LIBS="-L$libraries/lib -llzma -lpthread"
    make -j "$jobs"
    rm -rf "$built/installed"
    make install DESTDIR="$built/installed" >"$built/install.log" 2>&1 || { cat "$built/install.log" && exit 1; }
    rm -rf "$built/python"
    mv "$built/installed/opt/dind-executor/python" "$built/python"
}

mkdir -p "$libraries"
[ -e "$built/libraries.done" ] || build_libraries
touch "$built/libraries.done"
build_python
