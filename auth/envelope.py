"""The binary envelope of Token03 and Token04, and the AES modes inside it (zego-cloud.md §1.1).

``token = version + Base64(binary)``, standard alphabet, padded; ``version`` is ``"03"`` or ``"04"``. Integers are big-endian::

    offset           size       field
    0                8          expire      int64, Unix seconds: an unencrypted copy of the expiry in the JSON
    8                2          iv length   16 for CBC, 12 for GCM
    10               iv length  iv          raw bytes (most generators emit printable ones, Java does not)
    10 + iv          2          cipher length; for GCM it includes the 16-byte tag
    12 + iv          cipher     ciphertext of compact UTF-8 JSON
    12 + iv + cipher 0 or 1     mode        1 = GCM; absent or anything else = CBC

The key is the ServerSecret's 32 UTF-8 bytes as they are (AES-256). CBC pads by PKCS#7; GCM has no associated data.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from auth.errors import TokenBadSignature, TokenMalformed

BLOCK = 16
CBC_IV_LENGTH = 16
GCM_IV_LENGTH = 12
GCM_TAG_LENGTH = 16
GCM_MODE = 1
VERSION_LENGTH = 2


@dataclass(frozen=True)
class Envelope:
    """The parts of a Token03 or Token04, still encrypted."""

    expire: int
    """Epoch seconds, not protected by anything: compare it with the encrypted one before believing it."""
    iv: bytes
    ciphertext: bytes
    gcm: bool

    def __bytes__(self) -> bytes:
        """The binary form; ``parse_envelope`` is the way back."""
        head = struct.pack(">qH", self.expire, len(self.iv)) + self.iv + struct.pack(">H", len(self.ciphertext)) + self.ciphertext
        return head + bytes([GCM_MODE]) if self.gcm else head

    def text(self, version: str) -> str:
        """The token: the version prefix and the binary form in Base64."""
        return version + base64.b64encode(bytes(self)).decode()


def parse_envelope(token: str) -> Envelope:
    """Take a token apart, without its key. Raises ``TokenMalformed``."""
    try:
        data = base64.b64decode(token[VERSION_LENGTH:], validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenMalformed("not Base64") from error
    try:
        expire, iv_length = struct.unpack_from(">qH", data)
        (cipher_length,) = struct.unpack_from(">H", data, 10 + iv_length)
    except struct.error as error:
        raise TokenMalformed("the envelope is cut short") from error
    start = 12 + iv_length
    rest = data[start + cipher_length :]
    if len(data) < start + cipher_length or len(rest) > 1:
        raise TokenMalformed("the envelope's lengths do not add up")
    envelope = Envelope(expire, data[10 : 10 + iv_length], data[start : start + cipher_length], gcm=rest == bytes([GCM_MODE]))
    # These depend on nothing secret, so naming them apart from a failed decryption tells an attacker nothing.
    if iv_length != (GCM_IV_LENGTH if envelope.gcm else CBC_IV_LENGTH):
        raise TokenMalformed("the IV has a wrong length")
    if envelope.gcm and cipher_length < GCM_TAG_LENGTH:
        raise TokenMalformed("the ciphertext is shorter than its tag")
    if not envelope.gcm and (cipher_length == 0 or cipher_length % BLOCK):
        raise TokenMalformed("the ciphertext is not whole blocks")
    return envelope


def seal(expire: int, plaintext: bytes, *, secret: str, iv: bytes, gcm: bool) -> Envelope:
    """Encrypt ``plaintext``. ``iv`` is 16 random bytes for CBC, 12 for GCM, never used twice."""
    key = secret.encode()
    if gcm:
        return Envelope(expire, iv, AESGCM(key).encrypt(iv, plaintext, None), gcm=True)
    padder = PKCS7(BLOCK * 8).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    return Envelope(expire, iv, encryptor.update(padded) + encryptor.finalize(), gcm=False)


def open_envelope(envelope: Envelope, secrets: Sequence[str]) -> dict[str, object]:
    """Decrypt with the first of ``secrets`` that fits; returns the JSON object inside.

    Raises ``TokenBadSignature`` when none does. CBC carries no authentication, so "fits" means: it decrypts to a JSON object.
    Wrong padding, bytes that are not UTF-8 and text that is not JSON are the same error after the same work, for otherwise the
    server would be a padding oracle (Vaudenay, 2002), with which tokens can be forged block by block.
    """
    for secret in secrets:
        plaintext = _decrypt_gcm(envelope, secret) if envelope.gcm else _decrypt_cbc(envelope, secret)
        fields = _json_object(plaintext)
        if fields is not None:
            return fields
    raise TokenBadSignature("does not decrypt with any ServerSecret of the App")


def _decrypt_gcm(envelope: Envelope, secret: str) -> bytes:
    try:
        return AESGCM(secret.encode()).decrypt(envelope.iv, envelope.ciphertext, None)
    except InvalidTag:
        return b""


def _decrypt_cbc(envelope: Envelope, secret: str) -> bytes:
    decryptor = Cipher(algorithms.AES(secret.encode()), modes.CBC(envelope.iv)).decryptor()
    padded = decryptor.update(envelope.ciphertext) + decryptor.finalize()
    unpadder = PKCS7(BLOCK * 8).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return padded + b"\0"  # never JSON; parsed all the same, so that this case takes as long as garbage with a lucky padding


def _json_object(plaintext: bytes) -> dict[str, object] | None:
    try:
        fields = msgspec.json.decode(plaintext)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
