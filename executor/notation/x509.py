"""Certificates and keys as DER and PEM write them (RFC 5280, RFC 5208): pure.

`cryptography.x509` writes the same; it takes 25 ms to load, in each job.
"""

from binascii import b2a_base64
from collections.abc import Iterable

CLIENT_AUTH, SERVER_AUTH = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
"""What a certificate is good for."""

_COMMON_NAME = "2.5.4.3"
_KEY_ID, _KEY_USAGE, _HOSTS = "2.5.29.14", "2.5.29.15", "2.5.29.17"
_BASIC, _ISSUERS_KEY_ID, _PURPOSE = "2.5.29.19", "2.5.29.35", "2.5.29.37"

_SIGNS_DATA, _SIGNS_CERTIFICATES = b"\x07\x80", b"\x01\x06"
"""Bits of the key usage, behind how many of the last ones do not count."""

_UTC_TIME_UNTIL = "2050"
_LINE = 64


def der(tag: int, *parts: bytes) -> bytes:
    """Return a value of a type with its length."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return values one after the other."""
    return der(0x30, *parts)


def integer(number: int) -> bytes:
    """Return a number that is not negative."""
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def identifier(dotted: str) -> bytes:
    """Return an object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    found = bytearray([first * 40 + second])
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        found += bytes(reversed(digits))
    return der(0x06, bytes(found))


def bits(data: bytes) -> bytes:
    """Return bytes as a string of bits."""
    return der(0x03, b"\0", data)


def octets(data: bytes) -> bytes:
    """Return bytes as such."""
    return der(0x04, data)


NULL = der(0x05)
_TRUE = der(0x01, b"\xff")


def algorithm(dotted: str, parameter: bytes = NULL) -> bytes:
    """Return the name of an algorithm with its parameter."""
    return sequence(identifier(dotted), parameter)


def common_name(text: str) -> bytes:
    """Return the name of who has a certificate."""
    return sequence(der(0x31, sequence(identifier(_COMMON_NAME), der(0x0C, text.encode()))))


def moment(digits: str) -> bytes:
    """Return a moment of UTC, which is given as `YYYYMMDDhhmmss`."""
    if digits < _UTC_TIME_UNTIL:
        return der(0x17, f"{digits[2:]}Z".encode())
    return der(0x18, f"{digits}Z".encode())


def authority_extensions(key_id: bytes) -> bytes:
    """Return what the certificate of an authority says that signs for nobody who signs."""
    return _extensions(
        _extension(_KEY_ID, octets(key_id)),
        _extension(_BASIC, sequence(_TRUE, integer(0)), critical=True),
        _extension(_KEY_USAGE, der(0x03, _SIGNS_CERTIFICATES), critical=True),
    )


def end_extensions(
    key_id: bytes, issuers_key_id: bytes, purpose: str, hosts: Iterable[bytes] = ()
) -> bytes:
    """Return what the certificate of one end says; `hosts` are of `dns_name` and `address`."""
    found = [
        _extension(_KEY_ID, octets(key_id)),
        _extension(_ISSUERS_KEY_ID, sequence(der(0x80, issuers_key_id))),
        _extension(_BASIC, sequence(), critical=True),
        _extension(_KEY_USAGE, der(0x03, _SIGNS_DATA), critical=True),
        _extension(_PURPOSE, sequence(identifier(purpose))),
    ]
    names = tuple(hosts)
    if names:
        found.append(_extension(_HOSTS, sequence(*names)))
    return _extensions(*found)


def dns_name(name: bytes) -> bytes:
    """Return a name that a certificate's owner is called by."""
    return der(0x82, name)


def address(packed: bytes) -> bytes:
    """Return an IP address of a certificate's owner."""
    return der(0x87, packed)


def to_be_signed(  # noqa: PLR0913 (all by keyword: the fields of a certificate)
    *,
    serial: int,
    signed_by: bytes,
    issuer: bytes,
    subject: bytes,
    start: bytes,
    end: bytes,
    public_key: bytes,
    extensions: bytes,
) -> bytes:
    """Return a certificate without its signature; `signed_by` is the algorithm of that."""
    version = der(0xA0, integer(2))
    validity = sequence(start, end)
    key = (subject, public_key, extensions)
    return sequence(version, integer(serial), signed_by, issuer, validity, *key)


def ec_private_key(kind: bytes, private: bytes, public: bytes) -> bytes:
    """Return a key on an elliptic curve; `kind` is its algorithm with the curve."""
    key = sequence(integer(1), octets(private), der(0xA1, bits(public)))
    return sequence(integer(0), kind, octets(key))


def pem(kind: str, data: bytes) -> bytes:
    """Return data as text between lines that say what it is."""
    text = b2a_base64(data, newline=False).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


def _extensions(*each: bytes) -> bytes:
    return der(0xA3, sequence(*each))


def _extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return sequence(identifier(dotted), _TRUE if critical else b"", octets(value))
