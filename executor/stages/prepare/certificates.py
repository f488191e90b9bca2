"""The job's own certificate authority, server and client certificate.

Elliptic-curve keys are made in milliseconds where dind's entrypoint would make three RSA keys of
4096 bits first.  The CA's key never leaves this module's memory.
"""

import os
import time
from typing import TYPE_CHECKING

from executor.digests import sha1
from executor.log import AdministratorLog
from executor.notation import x509
from executor.plan.certificates import certificate_names, certificate_seconds
from executor.plan.inputs import Inputs
from executor.plan.sidecar import Sidecar
from executor.runner import notes
from executor.spec import Certificates, ImagePlan
from executor.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable


_RSA_BITS = 2048
_SERIAL_BYTES = 16
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

    def of(self, sidecar: Sidecar | None, subnets: tuple[str, ...]) -> Certificates | None:
        """Wait for them, and sign the server's, on a network that has these `subnets`.

        None where the job's sidecar has no TLS, or none is.
        """
        if self._minted and sidecar is not None and sidecar.transport.tls:
            names = certificate_names(self._inputs, sidecar, subnets)
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
        make: Callable[[], _Key] = _RsaKey if kind == "rsa" else _EcKey
        server, client = Task(make), Task(make)
        self._authority = _Authority(valid_seconds, make())
        self._server_key = server.result()
        self._client_key = client.result()
        self._client = self._authority.sign("client", self._client_key, x509.CLIENT_AUTH)

    def certificates(self, names: tuple[str, ...]) -> Certificates:
        """Return all, with the server's for these names and addresses."""
        hosts = _hosts(names)
        return Certificates(
            self._authority.certificate,
            self._authority.sign("server", self._server_key, x509.SERVER_AUTH, hosts),
            self._server_key.pem(),
            self._client,
            self._client_key.pem(),
        )


class _Key:
    """A private key: its public half as a certificate has it, and signatures by it."""

    KIND: bytes
    """The algorithm."""
    SIGNS: bytes
    """The algorithm of its signatures."""

    public: bytes

    def sign(self, data: bytes) -> bytes:
        """Return the signature of some data."""
        raise NotImplementedError

    def pem(self) -> bytes:
        """Return the key, in a form that every client of its age reads."""
        raise NotImplementedError

    @property
    def id(self) -> bytes:
        """Return what tells the key from others."""
        return sha1(self.public, usedforsecurity=False).digest()

    def info(self) -> bytes:
        """Return the public half with its algorithm."""
        return x509.sequence(self.KIND, x509.bits(self.public))


class _EcKey(_Key):
    """A key on the curve P-256."""

    KIND = x509.algorithm("1.2.840.10045.2.1", x509.identifier("1.2.840.10045.3.1.7"))
    SIGNS = x509.algorithm("1.2.840.10045.4.3.2", b"")

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key: ec.EllipticCurvePrivateKey = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        self.public = b"\4" + point.x.to_bytes(32) + point.y.to_bytes(32)

    def sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))

    def pem(self) -> bytes:
        private = self._key.private_numbers().private_value.to_bytes(32)
        return x509.pem("PRIVATE KEY", x509.ec_private_key(self.KIND, private, self.public))


class _RsaKey(_Key):
    """A key of RSA, its private half as PKCS#1."""

    KIND = x509.algorithm("1.2.840.113549.1.1.1")
    SIGNS = x509.algorithm("1.2.840.113549.1.1.11")

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa

        self._key: rsa.RSAPrivateKey = rsa.generate_private_key(
            public_exponent=65537, key_size=_RSA_BITS
        )
        numbers = self._key.public_key().public_numbers()
        self.public = x509.sequence(x509.integer(numbers.n), x509.integer(numbers.e))

    def sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def pem(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )


class _Authority:
    """A CA that lives until the server's certificate is signed."""

    def __init__(self, valid_seconds: int, key: _Key) -> None:
        now = time.time()
        self._start = _moment(now - _VALID_BEFORE_SECONDS)
        self._end = _moment(now + valid_seconds)
        self._key = key
        self._name = _name("job CA")
        self.certificate = self._signed(self._name, key, x509.authority_extensions(key.id))

    def sign(self, role: str, key: _Key, purpose: str, hosts: "tuple[bytes, ...]" = ()) -> bytes:
        """Return the certificate of a key for one end."""
        says = x509.end_extensions(key.id, self._key.id, purpose, hosts)
        return self._signed(_name(role), key, says)

    def _signed(self, subject: bytes, key: _Key, extensions: bytes) -> bytes:
        content = x509.to_be_signed(
            serial=int.from_bytes(os.urandom(_SERIAL_BYTES)),
            signed_by=self._key.SIGNS,
            issuer=self._name,
            subject=subject,
            start=self._start,
            end=self._end,
            public_key=key.info(),
            extensions=extensions,
        )
        signature = x509.bits(self._key.sign(content))
        return x509.pem("CERTIFICATE", x509.sequence(content, self._key.SIGNS, signature))


def _moment(seconds: float) -> bytes:
    return x509.moment(time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds)))


def _name(role: str) -> bytes:
    return x509.common_name(f"dind-executor {role}")


def _hosts(names: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the names as a certificate holds them; aliases may be written in any script."""
    import ipaddress

    found: list[bytes] = []
    for name in names:
        try:
            found.append(x509.address(ipaddress.ip_address(name.strip("[]")).packed))
        except ValueError:
            pass
        else:
            continue
        try:
            found.append(x509.dns_name(name.encode("ascii" if name.isascii() else "idna")))
        except UnicodeError:
            continue  # no client can ask for such a name
    return tuple(found)
