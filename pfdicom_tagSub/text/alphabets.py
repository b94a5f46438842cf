"""Digests written in other alphabets than hex: pseudonyms that File IDs and numbers may be."""

from __future__ import annotations

from base64 import b32encode

HEX = "hex"

MOST = {HEX: 64, "HEX": 64, "base32": 52, "digits": 32}
"""Each alphabet, and how many characters of a SHA-256 it gives at most.

Base32 (RFC 4648) and HEX are of capital letters and digits, as File IDs are (PS3.10 8.2, 8.5). Of digits
no more are given, so that all numbers are equally likely, but for one part in 2**149.
"""


def write_digest(digest: bytes, alphabet: str, count: int) -> str:
    """The first characters of a digest.

    Args:
        digest: 32 bytes.
        alphabet: one of ``MOST``.
        count: how many characters; as many as there are where it is 0.

    >>> write_digest(bytes(31) + b"z", "digits", 4), write_digest(b"z" * 32, "base32", 8)
    ('0122', 'PJ5HU6T2')
    """
    count = count or MOST[alphabet]
    match alphabet:
        case "digits":
            return f"{int.from_bytes(digest, 'big') % 10**count:0{count}}"
        case "base32":
            return b32encode(digest).decode().rstrip("=")[:count]
        case "HEX":
            return digest.hex().upper()[:count]
        case _:
            return digest.hex()[:count]
