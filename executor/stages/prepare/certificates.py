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
from executor.spec import Certificates, ImagePlan, NetworkSpec
from executor.tasks import Task

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_RSA_BITS = 2048
_VALID_BEFORE_SECONDS = 24 * 3600
"""Clocks of an engine elsewhere may be behind, and this one may be set back while the job runs."""


class JobCertificates:
    """The certificates of a job that may have a sidecar, made beside the rest."""

    def __init__(self, inputs: Inputs, images: ImagePlan, log: AdministratorLog) -> None:
        """Begin to make them, where there may be a sidecar."""
        self._inputs = inputs
        self._log = log
        self._minted = Task(self._mint) if images.may_have_dind else None
        self._used: Certificates | None = None

    def of(
        self, sidecar: Sidecar | None, subnets: tuple[str, ...], network: NetworkSpec | None = None
    ) -> Certificates | None:
        """Wait for them, and sign the server's, on a network that has these `subnets`.

        None where the job's sidecar has no TLS, or none is.
        """
        if self._minted and sidecar is not None and sidecar.transport.tls:
            names = certificate_names(
                self._inputs, sidecar, subnets, network.name if network else ""
            )
            self._used = self._minted.result().certificates(names)
        self._minted = None  # the authority's key with it
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

    def _mint(self) -> "Mint":
        started = time.monotonic()
        inputs = self._inputs
        minted = Mint(certificate_seconds(inputs.job), inputs.settings.dind.certificate_key)
        self._log.done("certificates made", started)
        return minted


def mint(names: tuple[str, ...], valid_seconds: int, kind: str = "ec") -> Certificates:
    """Make a CA and sign a server certificate for `names` and a client certificate with it."""
    return Mint(valid_seconds, kind).certificates(names)


class Mint:
    """A CA with both ends' keys and the client's certificate; the server's waits for its names.

    Valid for `valid_seconds` from now.  The extensions are those that OpenSSL's strict mode asks
    for, the default of Python 3.13's clients.  `kind` is `ec`, or `rsa` for clients that read
    nothing else.
    """

    def __init__(self, valid_seconds: int, kind: str) -> None:
        """Make all keys; those of RSA take a while, so at the same time."""
        from cryptography.x509.oid import ExtendedKeyUsageOID

        make = _new_rsa_key if kind == "rsa" else _new_ec_key
        server, client = Task(make), Task(make)
        self._authority = _Authority(valid_seconds, make())
        self._server_key = server.result()
        self._client_key = client.result()
        self._client = self._authority.sign(
            "client", self._client_key, ExtendedKeyUsageOID.CLIENT_AUTH
        )

    def certificates(self, names: tuple[str, ...]) -> Certificates:
        """Return all, with the server's for these names and addresses."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        hosts = x509.SubjectAlternativeName(_general_names(names))
        purpose = ExtendedKeyUsageOID.SERVER_AUTH
        return Certificates(
            self._authority.certificate,
            self._authority.sign("server", self._server_key, purpose, hosts),
            _pem_key(self._server_key),
            self._client,
            _pem_key(self._client_key),
        )


class _Authority:
    """A CA that lives until the server's certificate is signed."""

    def __init__(self, valid_seconds: int, key: "Key") -> None:
        import datetime as dt  # noqa: PLC0415

        from cryptography import x509

        now = dt.datetime.now(dt.UTC)
        self._start = now - dt.timedelta(seconds=_VALID_BEFORE_SECONDS)
        self._end = now + dt.timedelta(seconds=valid_seconds)
        self._key = key
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
        key: "Key",
        purpose: "x509.ObjectIdentifier",
        hosts: "x509.SubjectAlternativeName | None" = None,
    ) -> bytes:
        """Return the certificate of a key for one end."""
        from cryptography import x509

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
        return self._signed(builder)

    def _builder(self, name: "x509.Name", key: "Key") -> "x509.CertificateBuilder":
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


def _new_ec_key() -> "Key":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _new_rsa_key() -> "Key":
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _pem_key(key: "Key") -> bytes:
    """Return a key in PEM form: one of RSA as PKCS#1, which every client of its age reads."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    kinds = serialization.PrivateFormat
    form = kinds.TraditionalOpenSSL if isinstance(key, rsa.RSAPrivateKey) else kinds.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


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


def _general_names(names: tuple[str, ...]) -> "list[x509.GeneralName]":
    """Return the names as a certificate holds them; aliases may be written in any script."""
    import ipaddress

    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name.strip("[]"))))
        except ValueError:
            pass
        else:
            continue
        try:
            found.append(x509.DNSName(name if name.isascii() else name.encode("idna").decode()))
        except UnicodeError:
            continue  # no client can ask for such a name
    return found
