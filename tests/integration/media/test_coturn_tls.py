"""TURN over TLS with a real coturn, the configuration of the Compose files and the credentials that Hearth makes."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import ssl
from pathlib import Path

from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from media.turn import access
from tests.coturn import SECRET, Certificate, running_coturn

NAME = "turn.hearth.test"
REQUESTED_TRANSPORT_UDP = 0x11000000
HOUR_MS = 3_600_000
NOW = datetime.datetime.now(datetime.UTC)


def self_signed(directory: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOW - day).not_valid_after(NOW + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    found = Certificate(directory / "fullchain.pem", directory / "privkey.pem")
    found.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return found


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: stun.Message, key: bytes = b"") -> stun.Message:
    if key:
        request.add_message_integrity(key)
    writer.write(bytes(request))
    header = await reader.readexactly(20)
    return stun.parse_message(header + await reader.readexactly(int.from_bytes(header[2:4])))


def allocate() -> stun.Message:
    request = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
    request.attributes["REQUESTED-TRANSPORT"] = REQUESTED_TRANSPORT_UDP
    return request


async def test_a_client_behind_a_strict_firewall_is_given_a_relay_over_tls(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate.chain))
    async with running_coturn(tmp_path, certificate) as coturn:
        reader, writer = await asyncio.open_connection("127.0.0.1", coturn.tls_port, ssl=trusted, server_hostname=NAME)
        challenge = await ask(reader, writer, allocate())
        assert challenge.attributes["ERROR-CODE"][0] == 401
        given = access.issue((f"turns:{NAME}:5349?transport=tcp",), SECRET.encode(), 7, int(NOW.timestamp() * 1000) + HOUR_MS)
        request = allocate()
        realm = challenge.attributes["REALM"]
        request.attributes |= {"USERNAME": given.username, "REALM": realm, "NONCE": challenge.attributes["NONCE"]}
        key = hashlib.md5(f"{given.username}:{realm}:{given.password}".encode()).digest()
        allocated = await ask(reader, writer, request, key)
        assert allocated.message_class is stun.Class.RESPONSE, allocated
        assert allocated.attributes["XOR-RELAYED-ADDRESS"][0] == "127.0.0.1"
        writer.close()
        await writer.wait_closed()
