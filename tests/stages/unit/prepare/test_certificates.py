"""A job's certificates, as openssl sees them."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from executor.spec import Certificates
from executor.stages.prepare.certificates import mint

NAMES = ("docker", "localhost", "registry.example.com__group__docker", "my-engine")
SECONDS = 5400


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """Return the certificates of one job."""
    return mint(NAMES, SECONDS)


@pytest.fixture(scope="module")
def files(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the PEM files."""
    directory = tmp_path_factory.mktemp("certs")
    for name in ("ca", "server", "server_key", "client", "client_key"):
        (directory / f"{name}.pem").write_bytes(getattr(certificates, name))
    return directory


def openssl(*args: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run openssl in a directory."""
    program = shutil.which("openssl")
    assert program, "openssl is not installed: apt-get install openssl"
    return subprocess.run(
        [program, *args], cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )


def verified(files: Path, end: str, purpose: str) -> subprocess.CompletedProcess[str]:
    """Let openssl verify the certificate of one end for a purpose."""
    options = ["-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem"]
    return openssl("verify", *options, f"{end}.pem", directory=files)


@pytest.mark.parametrize(("end", "purpose"), [("server", "sslserver"), ("client", "sslclient")])
def test_openssl_verifies_strictly(files: Path, end: str, purpose: str) -> None:
    """openssl accepts them with the strict checks that clients of Python 3.13 use."""
    done = verified(files, end, purpose)

    assert (done.returncode, done.stdout) == (0, f"{end}.pem: OK\n"), done.stderr


@pytest.mark.parametrize(("end", "purpose"), [("server", "sslclient"), ("client", "sslserver")])
def test_each_end_is_good_for_one_thing(files: Path, end: str, purpose: str) -> None:
    """A job that has the client's key cannot play the server."""
    done = verified(files, end, purpose)

    assert done.returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_every_alias_is_in_the_servers_certificate(files: Path, name: str) -> None:
    """openssl finds the host by each of them, and by no other."""
    done = openssl(
        "verify", "-CAfile", "ca.pem", "-verify_hostname", name, "server.pem", directory=files
    )
    other = openssl(
        "verify",
        "-CAfile",
        "ca.pem",
        "-verify_hostname",
        f"x{name}",
        "server.pem",
        directory=files,
    )

    assert (done.returncode, other.returncode != 0) == (0, True)


def load(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_names_and_nothing_else(certificates: Certificates) -> None:
    """The server's certificate has names, the client's has none."""
    found = load(certificates.server).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert tuple(found.value.get_values_for_type(x509.DNSName)) == NAMES
    assert not found.critical
    with pytest.raises(x509.ExtensionNotFound):
        load(certificates.client).extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize("end", ["server", "client"])
def test_keys_are_elliptic_and_fit(certificates: Certificates, end: str) -> None:
    """Each certificate is its own key's, in a form that every Docker reads."""
    pem = getattr(certificates, f"{end}_key")
    key = load_pem_private_key(pem, None)

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert load(getattr(certificates, end)).public_key() == key.public_key()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_keys_for_clients_that_read_rsa_alone(tmp_path: Path) -> None:
    """All three are RSA, in the form that such clients know, and openssl verifies them as strictly."""
    made = mint(("docker", "10.0.0.2"), SECONDS, "rsa")

    for name in ("server", "client"):
        pem = getattr(made, f"{name}_key")
        key = load_pem_private_key(pem, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == 2048
        assert load(getattr(made, name)).public_key() == key.public_key()
        assert pem.startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    assert isinstance(load(made.ca).public_key(), rsa.RSAPublicKey)
    for name in ("ca", "server", "client"):
        (tmp_path / f"{name}.pem").write_bytes(getattr(made, name))
    assert verified(tmp_path, "server", "sslserver").returncode == 0
    assert verified(tmp_path, "client", "sslclient").returncode == 0


def test_addresses_are_addresses() -> None:
    """A client that is given an address looks for it among those, and never among the names."""
    names = ("docker", "10.0.0.2", "fd00::2", "[::1]", "1")

    found = load(mint(names, SECONDS).server).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert [str(each) for each in found.value.get_values_for_type(x509.IPAddress)] == [
        "10.0.0.2",
        "fd00::2",
        "::1",
    ]
    assert found.value.get_values_for_type(x509.DNSName) == ["docker", "1"]


def test_no_two_keys_are_the_same(certificates: Certificates) -> None:
    """All keys differ, within a job and between jobs."""
    other = mint(NAMES, SECONDS)
    keys = {each.server_key for each in (certificates, other)}
    keys |= {each.client_key for each in (certificates, other)}
    serials = {
        load(pem).serial_number
        for each in (certificates, other)
        for pem in (each.ca, each.server, each.client)
    }

    assert (len(keys), len(serials)) == (4, 6)


@pytest.mark.parametrize("name", ["ca", "server", "client"])
def test_short_lived(certificates: Certificates, name: str) -> None:
    """They begin a day ago, for clocks that differ or are set, and end when asked to."""
    certificate = load(getattr(certificates, name))
    now = dt.datetime.now(dt.UTC)

    before = now - certificate.not_valid_before_utc
    after = certificate.not_valid_after_utc - now

    assert dt.timedelta(seconds=86390) < before < dt.timedelta(seconds=86700)
    assert dt.timedelta(seconds=SECONDS - 300) < after <= dt.timedelta(seconds=SECONDS)


def test_the_authority_signs_and_nobody_else(certificates: Certificates) -> None:
    """Only the CA is an authority, and no second one below it counts."""
    constraints = {
        name: load(getattr(certificates, name)).extensions.get_extension_for_class(
            x509.BasicConstraints
        )
        for name in ("ca", "server", "client")
    }

    assert all(each.critical for each in constraints.values())
    assert (constraints["ca"].value.ca, constraints["ca"].value.path_length) == (True, 0)
    assert not constraints["server"].value.ca
    assert not constraints["client"].value.ca
    usage = load(certificates.client).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_another_jobs_certificate_is_refused(files: Path, tmp_path: Path) -> None:
    """A CA is good for one job."""
    (tmp_path / "server.pem").write_bytes(mint(NAMES, SECONDS).server)
    (tmp_path / "ca.pem").write_bytes((files / "ca.pem").read_bytes())

    done = openssl("verify", "-CAfile", "ca.pem", "server.pem", directory=tmp_path)

    assert done.returncode != 0


def test_no_key_shows_in_a_repr(certificates: Certificates) -> None:
    """An assertion may print them."""
    assert "PRIVATE KEY" not in repr(certificates)


@pytest.mark.parametrize(
    "name", ["b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher", "a" * 300, "_", "-x-", "*"]
)
def test_an_alias_of_any_kind(name: str) -> None:
    """Docker takes nearly every text for an alias; a certificate is made all the same."""
    certificate = load(mint(("docker", name), SECONDS).server)

    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "docker" in found.value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("name", ["\N{GREEK SMALL LETTER ALPHA}" * 80, "\N{SNOWMAN}..x", "\ud800"])
def test_an_alias_that_is_no_name_at_all(name: str) -> None:
    """It cannot be asked for by any client, and costs the job nothing."""
    certificate = load(mint(("docker", name), SECONDS).server)

    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert found.value.get_values_for_type(x509.DNSName) == ["docker"]


def test_many_names() -> None:
    """A job with many services has as many names."""
    names = tuple(f"service-{number}" for number in range(200))

    found = load(mint(names, SECONDS).server).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert tuple(found.value.get_values_for_type(x509.DNSName)) == names
