"""The job's own certificate authority, server and client certificate.

Elliptic-curve keys are made in milliseconds where dind's entrypoint would make three RSA keys of
4096 bits first.  The CA's key never leaves this module's memory.
"""

import time
from typing import TYPE_CHECKING

from executor.log import AdministratorLog
from executor.plan.certificates import certificate_names, certificate_seconds
from executor.plan.inputs import Inputs
from executor.plan.sidecar import Sidecar
from executor.runner import notes
from executor.spec import Certificates, ImagePlan
from executor.tasks import Task

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_VALID_BEFORE_SECONDS = 3600
"""Clocks of an engine elsewhere may be behind."""


class JobCertificates:
    """The certificates of a job that may have a sidecar, made beside the rest."""

    def __init__(self, inputs: Inputs, images: ImagePlan, log: AdministratorLog) -> None:
        """Begin to make them, where there may be a sidecar."""
        self._log = log
        self._made = Task(lambda: self._make(inputs)) if images.may_have_dind else None
        self._used: Certificates | None = None

    def of(self, sidecar: Sidecar | None) -> Certificates | None:
        """Wait for them, and return them; None where the job's sidecar has no TLS, or none is."""
        if self._made and sidecar is not None and sidecar.transport.tls:
            self._used = self._made.result()
        return self._used

    def leave_client(self, temp_dir: str) -> None:
        """Leave the client certificate with which `run` asks whether dind answers."""
        if self._used:
            files = {
                "ca.pem": self._used.ca,
                "cert.pem": self._used.client,
                "key.pem": self._used.client_key,
            }
            notes.leave_all(temp_dir, notes.CLIENT, files)

    def _make(self, inputs: Inputs) -> Certificates:
        started = time.monotonic()
        certificates = mint(certificate_names(inputs), certificate_seconds(inputs.job))
        self._log.done("certificates made", started)
        return certificates


def mint(names: tuple[str, ...], valid_seconds: int) -> Certificates:
    """Make a CA and sign a server certificate for `names` and a client certificate with it.

    Valid for `valid_seconds` from now.  The extensions are those that OpenSSL's strict mode asks
    for, the default of Python 3.13's clients.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority = _Authority(valid_seconds)
    hosts = x509.SubjectAlternativeName(_dns_names(names))
    server, server_key = authority.sign("server", ExtendedKeyUsageOID.SERVER_AUTH, hosts)
    client, client_key = authority.sign("client", ExtendedKeyUsageOID.CLIENT_AUTH)
    return Certificates(authority.certificate, server, server_key, client, client_key)


class _Authority:
    """A CA that lives as long as one call of `mint`."""

    def __init__(self, valid_seconds: int) -> None:
        import datetime as dt  # noqa: PLC0415

        from cryptography import x509

        now = dt.datetime.now(dt.UTC)
        self._start = now - dt.timedelta(seconds=_VALID_BEFORE_SECONDS)
        self._end = now + dt.timedelta(seconds=valid_seconds)
        self._key = _new_key()
        self._name = _name("job CA")
        self._id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self.certificate = self._signed(
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )

    def sign(
        self,
        role: str,
        purpose: "x509.ObjectIdentifier",
        hosts: "x509.SubjectAlternativeName | None" = None,
    ) -> tuple[bytes, bytes]:
        """Return a certificate and its key for one end."""
        from cryptography import x509

        key = _new_key()
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._id)
        builder = (
            self._builder(_name(role), key)
            .add_extension(issuer, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if hosts:
            builder = builder.add_extension(hosts, critical=False)
        return self._signed(builder), _pem_key(key)

    def _builder(
        self, name: "x509.Name", key: "ec.EllipticCurvePrivateKey"
    ) -> "x509.CertificateBuilder":
        from cryptography import x509

        public = key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._start)
            .not_valid_after(self._end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    def _signed(self, builder: "x509.CertificateBuilder") -> bytes:
        from cryptography.hazmat.primitives import hashes, serialization

        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)


def _new_key() -> "ec.EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem_key(key: "ec.EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(role: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"dind-executor {role}")])


def _usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _dns_names(names: tuple[str, ...]) -> "list[x509.DNSName]":
    """Return the names as a certificate holds them; aliases may be written in any script."""
    from cryptography import x509

    found = []
    for name in names:
        try:
            found.append(x509.DNSName(name if name.isascii() else name.encode("idna").decode()))
        except UnicodeError:
            continue  # no client can ask for such a name
    return found
