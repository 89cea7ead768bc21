"""A certificate for development: browsers give a microphone only to pages from https (or localhost).

A certificate authority is made once in the data folder and signs a certificate for this machine's names and addresses. Whoever
trusts the authority (``ca.pem``) trusts every later certificate too; a new one is made when an address changed or the old one ends.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.development import private_directory
from server.interfaces import machine_addresses

_AUTHORITY_DAYS = 3650
_CERTIFICATE_DAYS = 397
"""Browsers and Apple's systems refuse server certificates that are valid for longer than 398 days."""
_RENEW_BEFORE = datetime.timedelta(days=14)


@dataclass(frozen=True)
class DevelopmentTls:
    """Files of the local certificate."""

    authority: Path
    """CA certificate, to be trusted by browsers and devices."""
    certificate: Path
    key: Path
    names: tuple[str, ...]
    """Names and addresses that the certificate is valid for."""


def ensure_development_tls(directory: Path, now: datetime.datetime, addresses: Sequence[str] | None = None) -> DevelopmentTls:
    """The certificate in ``directory``, made or renewed if need be. ``now``: an aware UTC time."""
    private_directory(directory)
    lan = machine_addresses() if addresses is None else addresses
    names = tuple(dict.fromkeys(["localhost", socket.gethostname(), "127.0.0.1", "::1", *lan]))
    tls = DevelopmentTls(directory / "ca.pem", directory / "cert.pem", directory / "key.pem", names)
    authority_key, authority = _authority(directory, now)
    if not _still_good(tls, authority, now):
        _make_certificate(tls, authority_key, authority, now)
    return tls


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _authority(directory: Path, now: datetime.datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_path, path = directory / "ca-key.pem", directory / "ca.pem"
    found = _pair(key_path, path)
    if found is not None and found[1].not_valid_after_utc > now + _RENEW_BEFORE:
        return found
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Hearth development CA ({socket.gethostname()})"[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _key_bytes(key))
    _write(path, certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def _pair(key_path: Path, path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """A key and its certificate; None unless both are there and belong together, which they do not if a start was cut off between
    the writing of the one and of the other, or two starts were at it at once."""
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return key, certificate


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
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


def _still_good(tls: DevelopmentTls, authority: x509.Certificate, now: datetime.datetime) -> bool:
    found = _pair(tls.key, tls.certificate)
    if found is None:
        return False
    certificate = found[1]
    if certificate.not_valid_after_utc < now + _RENEW_BEFORE:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:  # whatever is wrong with it, a new one is made
        return False
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {*covered.get_values_for_type(x509.DNSName), *(str(ip) for ip in covered.get_values_for_type(x509.IPAddress))}
    return set(tls.names) <= known


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make_certificate(
    tls: DevelopmentTls, authority_key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, now: datetime.datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hearth development")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative_name(name) for name in tls.names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(tls.key, _key_bytes(key))
    _write(tls.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def how_to_trust(tls: DevelopmentTls) -> str:
    """What to do so that a browser or a phone accepts the certificate."""
    return "\n".join(
        [
            f"The certificate is signed by a local authority: {tls.authority}. To trust it (once per device):",
            "  Chrome/Edge  settings › privacy and security › security › manage certificates › import as an authority",
            "  Firefox      settings › privacy & security › certificates › view certificates › authorities › import",
            f"  Debian       cp {tls.authority} /usr/local/share/ca-certificates/hearth.crt && update-ca-certificates",
            f"  macOS        security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {tls.authority}",
            "  iOS/Android  send the file to the device, open it and install it as a CA certificate",
            f"  Node.js      NODE_EXTRA_CA_CERTS={tls.authority}",
            "Or open the https address once in the browser and accept the warning.",
        ]
    )
