"""Digests as Python itself makes them: `hashlib` loads OpenSSL for the same, 2 ms in each process."""

TYPE_CHECKING = False  # the name counts for checkers, which know them by `hashlib`
if TYPE_CHECKING:
    from hashlib import md5, sha1, sha256
else:
    try:
        from _md5 import md5
        from _sha1 import sha1

        try:
            from _sha2 import sha256  # since Python 3.12
        except ImportError:
            from _sha256 import sha256
    except ImportError:  # a Python that was built with OpenSSL's alone
        from hashlib import md5, sha1, sha256

__all__ = ["md5", "sha1", "sha256"]
