"""Certificates and keys, byte by byte as `cryptography` writes them."""

import datetime as dt
import ipaddress

import pytest
from cryptography import x509 as wanted
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from executor.notation import x509

PURPOSE = wanted.oid.ExtendedKeyUsageOID
START = dt.datetime(2026, 1, 31, 23, 59, 59, tzinfo=dt.UTC)
SIZES = (0, 1, 127, 128, 255, 256, 65535, 65536)


def usage(*, signs_certificates: bool) -> wanted.KeyUsage:
    return wanted.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def name(text: str) -> wanted.Name:
    return wanted.Name([wanted.NameAttribute(wanted.oid.NameOID.COMMON_NAME, text)])


def info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize("serial", [1, 127, 128, 255, 256, 2**127, 2**128 - 1])
@pytest.mark.parametrize("end", [START + dt.timedelta(days=1), START.replace(year=2050)])
@pytest.mark.parametrize("hosts", [0, 1, 200])
def test_a_certificate_of_one_end(serial: int, end: dt.datetime, hosts: int) -> None:
    """Every field, with any number of names and addresses, before 2050 and after."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = wanted.SubjectKeyIdentifier.from_public_key(key.public_key())
    names = [f"service-{number}" for number in range(hosts)]
    addresses = [ipaddress.ip_address(each) for each in ("10.0.0.2", "fd00::2")[:hosts]]
    builder = (
        wanted.CertificateBuilder(name("dind-executor job CA"), name("me"), key.public_key())
        .serial_number(serial)
        .not_valid_before(START)
        .not_valid_after(end)
        .add_extension(own, critical=False)
        .add_extension(
            wanted.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False
        )
        .add_extension(wanted.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(wanted.ExtendedKeyUsage([PURPOSE.SERVER_AUTH]), critical=False)
    )
    if hosts:
        both = [*map(wanted.DNSName, names), *map(wanted.IPAddress, addresses)]
        builder = builder.add_extension(wanted.SubjectAlternativeName(both), critical=False)

    found = x509.to_be_signed(
        serial=serial,
        signed_by=x509.algorithm("1.2.840.10045.4.3.2", b""),
        issuer=x509.common_name("dind-executor job CA"),
        subject=x509.common_name("me"),
        start=x509.moment(f"{START:%Y%m%d%H%M%S}"),
        end=x509.moment(f"{end:%Y%m%d%H%M%S}"),
        public_key=info(key),
        extensions=x509.end_extensions(
            own.digest,
            own.digest,
            x509.SERVER_AUTH,
            [
                *(x509.dns_name(each.encode()) for each in names),
                *(x509.address(each.packed) for each in addresses),
            ],
        ),
    )

    assert found == builder.sign(key, hashes.SHA256()).tbs_certificate_bytes


def test_a_certificate_of_an_authority() -> None:
    """It may sign certificates, and none that sign others; with RSA, too."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = wanted.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        wanted.CertificateBuilder(name("CA"), name("CA"), key.public_key(), 7)
        .not_valid_before(START)
        .not_valid_after(START)
        .add_extension(own, critical=False)
        .add_extension(wanted.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    signed_by = x509.algorithm("1.2.840.113549.1.1.11")
    moment = x509.moment(f"{START:%Y%m%d%H%M%S}")

    content = x509.to_be_signed(
        serial=7,
        signed_by=signed_by,
        issuer=x509.common_name("CA"),
        subject=x509.common_name("CA"),
        start=moment,
        end=moment,
        public_key=info(key),
        extensions=x509.authority_extensions(own.digest),
    )
    signature = key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    whole = x509.sequence(content, signed_by, x509.bits(signature))

    signed = builder.sign(key, hashes.SHA256())
    assert whole == signed.public_bytes(serialization.Encoding.DER)
    assert x509.pem("CERTIFICATE", whole) == signed.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("number", [1, 2**255, None])
def test_a_key_on_a_curve(number: int | None) -> None:
    """Short numbers have their zeros in front."""
    key = (
        ec.derive_private_key(number, ec.SECP256R1())
        if number
        else ec.generate_private_key(ec.SECP256R1())
    )
    point = key.public_key().public_numbers()
    kind = x509.algorithm("1.2.840.10045.2.1", x509.identifier("1.2.840.10045.3.1.7"))

    found = x509.ec_private_key(
        kind,
        key.private_numbers().private_value.to_bytes(32),
        b"\4" + point.x.to_bytes(32) + point.y.to_bytes(32),
    )

    assert x509.pem("PRIVATE KEY", found) == key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("size", SIZES)
def test_lengths_of_any_size(size: int) -> None:
    """The length is as short as it can be."""
    found = x509.octets(b"x" * size)

    head = found[: len(found) - size]
    assert head[0] == 0x04
    if size < 128:
        assert head[1:] == bytes([size])
    else:
        assert head[1] == 0x80 | len(head[2:])
        assert int.from_bytes(head[2:]) == size
        assert head[2]
