"""The secret key: where it comes from, and what is derived from it.

Each use has a subkey of its own, so that a table of what one function made, with its
originals, helps with no other.
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.caches import remembered
from ..core.errors import SpecError
from ..core.system_reasons import why_unread

KEY_VARIABLE = b"PFDICOM_TAGSUB_KEY"
LEAST_BYTES = 16
MOST_BYTES = 1 << 20
"""More is no key but a file named by mistake, or a device that never ends."""

_DOMAIN = b"pfdicom_tagSub/"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret key. Neither its ``repr`` nor anything derived here shows it.

    Attributes:
        key: its bytes, at least 16.

    Raises:
        SpecError: it is shorter.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < LEAST_BYTES:
            raise SpecError(f"the secret key has {len(self.key)} bytes; give at least {LEAST_BYTES}")

    def subkey(self, use: str) -> bytes:
        """The key of one use: HMAC-SHA256(key, b"pfdicom_tagSub/" + use)."""
        return _subkey(self.key, use)

    def digest(self, use: str, data: bytes) -> bytes:
        """HMAC-SHA256 of data under the subkey of a use."""
        return hmac.digest(_subkey(self.key, use), data, "sha256")

    @property
    def fingerprint(self) -> str:
        """16 hex digits that tell one key from another."""
        return self.subkey("fingerprint").hex()[:16]


@remembered(most=64)
def _subkey(key: bytes, use: str) -> bytes:
    return hmac.digest(key, _DOMAIN + use.encode(), "sha256")


def load_secret(key_file: str, environ: Mapping[bytes, bytes]) -> tuple[Secret | None, tuple[str, ...]]:
    """Read the secret key: from a file, else from the environment.

    Args:
        key_file: what ``--keyFile`` names; its bytes are the key as they are. "" for none.
        environ: ``os.environb``; an empty ``PFDICOM_TAGSUB_KEY`` counts as none.

    Returns:
        The key, None where none is given; and what the user should know.

    Raises:
        SpecError: the file cannot be read, or the key is too short.
    """
    warnings: tuple[str, ...] = ()
    origin = f"--keyFile {key_file}" if key_file else KEY_VARIABLE.decode()
    if key_file:
        key, warnings = _read(key_file)
    else:
        key = environ.get(KEY_VARIABLE, b"")
    if not key and not key_file:
        return None, ()
    secret = _checked(key, origin)
    if len(set(key)) == 1:  # a file that was preallocated and never written has zeros
        warned = f"{origin}: the key is one byte over and over, which anybody guesses"
        warnings += (f"{warned}; make another with head -c 32 /dev/urandom",)
    return secret, warnings


def _read(path: str) -> tuple[bytes, tuple[str, ...]]:
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = why_unread(error)
        raise SpecError(f"--keyFile {path}: {reason}") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        return key, (f"--keyFile {path}: others can read the key; chmod 600 keeps it yours",)
    return key, ()


def _checked(key: bytes, origin: str) -> Secret:
    if len(key) < LEAST_BYTES:
        raise SpecError(
            f"{origin}: the key has {len(key)} bytes; give at least {LEAST_BYTES}, such as those of "
            "head -c 32 /dev/urandom"
        )
    if len(key) > MOST_BYTES:
        raise SpecError(f"{origin}: the key has more than {MOST_BYTES} bytes; is this the right file?")
    return Secret(key)
