"""Functions that make digests: ``md5``, ``sha256``, ``hmac`` and ``uid``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..core.caches import remembered
from ..core.errors import FileError, SpecError
from ..text.alphabets import HEX, MOST, write_digest
from ..text.quoting import shortened
from .function_types import Call, Resources

if TYPE_CHECKING:
    from .secret import Secret

STANDARD_ROOT = "1.2.840.10008."
"""What the UIDs that the standard registers begin with (PS3.5 9.1)."""

_DOMAIN = b"pfdicom_tagSub/"


def utf8_of(text: str) -> bytes:
    """A text in UTF-8, with bytes that have no character as they were."""
    return text.encode("utf-8", "surrogateescape")


def check_nothing(arguments: tuple[str, ...]) -> str:
    """What is wrong with arguments where there may be none."""
    return "it takes no argument" if arguments else ""


def check_digits(arguments: tuple[str, ...], most: int = 32) -> str:
    """What is wrong with arguments that say how many digits to keep."""
    numbers = {str(number) for number in range(1, most + 1)}
    fits = not arguments or (len(arguments) == 1 and arguments[0].lstrip("0") in numbers)
    return "" if fits else f"it takes one number from 1 to {most}"


def check_digest(arguments: tuple[str, ...]) -> str:
    """What is wrong with arguments that say how many characters to keep, and of which alphabet."""
    alphabet = arguments[1] if len(arguments) > 1 else HEX
    if len(arguments) > 2 or alphabet not in MOST:
        return f"it takes one number from 1 to {MOST[HEX]}, and perhaps an alphabet: {', '.join(MOST)}"
    has_number = len(arguments) == 1 or (len(arguments) == 2 and bool(arguments[0]))
    return check_digits(arguments[:1], MOST[alphabet]) if has_number else ""


def _written(digest: bytes, call: Call) -> str:
    """A digest as the arguments ask for: how many characters, in which alphabet."""
    number = call.arguments[0] if call.arguments else ""
    alphabet = call.arguments[1] if len(call.arguments) > 1 else HEX
    return write_digest(digest, alphabet, int(number or 0))


def _cut(digits: str, call: Call) -> str:
    return digits[: int(call.arguments[0])] if call.arguments else digits


def _sha256_of(data: bytes) -> bytes:
    import hashlib  # noqa: PLC0415  (as pydicom below)

    return hashlib.sha256(data).digest()


def md5(call: Call) -> str:
    """The MD5 of a value's text, in hex digits."""
    import hashlib  # noqa: PLC0415  (as pydicom below)

    text = utf8_of(call.text)
    if b"\x1b$)A" in call.stored:  # 3.1.1 took the escape sequence of GB 2312 for characters of the text
        text = utf8_of(call.stored.decode("gb2312")) if call.vr == "PN" else call.stored
    return _cut(hashlib.md5(text, usedforsecurity=False).hexdigest(), call)


def sha256(call: Call) -> str:
    """The SHA-256 of a value's text."""
    text = call.significant
    return _written(_sha256_of(utf8_of(text)), call) if text else ""


NO_KEY = "it needs the secret key; give it with --keyFile FILE or in the variable PFDICOM_TAGSUB_KEY"


def find_missing_key(arguments: tuple[str, ...], resources: Resources) -> str:  # noqa: ARG001
    """What to do about a missing secret key."""
    return "" if resources.secret else NO_KEY


def hmac(call: Call) -> str:
    """The HMAC-SHA-256 of a value's text under the secret key.

    Raises:
        FileError: there is no key.
    """
    secret = call.resources.secret
    if secret is None:
        raise FileError("the function hmac has no secret key")
    text = call.significant
    return _written(secret.digest("hmac", utf8_of(text)), call) if text else ""


def digest_under(secret: Secret | None, use: str, text: str) -> bytes:
    """32 bytes for a text: under the subkey of the use, or without a key but for this use alone."""
    if secret is not None:
        return secret.digest(use, utf8_of(text))
    return _sha256_of(_DOMAIN + use.encode() + b"\0" + utf8_of(text))


UID_MOST = 64
"""No UID is longer (PS3.5 9.1)."""


@remembered(most=1 << 14)
def new_uid(secret: Secret | None, text: str, root: str) -> str:
    """The UID for another; those of a study are in each of its files, so they are kept.

    Args:
        secret: the key; None for none.
        text: the other, without padding.
        root: what it begins with; "" for pydicom's root.
    """
    import hashlib  # noqa: PLC0415  (as pydicom)

    from pydicom.uid import PYDICOM_ROOT_UID  # noqa: PLC0415  (slow to load, and --man needs the registry alone)

    if text.startswith(STANDARD_ROOT):  # SOP classes and the like (PS3.6 annex A) name nobody
        return text
    prefix = f"{root}." if root else PYDICOM_ROOT_UID
    # As pydicom.uid.generate_uid makes them of an entropy source, without its checks of what is right by
    # itself, and whatever a later pydicom does: UIDs of later runs have to be those of earlier ones.
    source = hashlib.sha512(digest_under(secret, "uid", text).hex().encode()).digest()
    return f"{prefix}{int.from_bytes(source, 'big')}"[:UID_MOST]


def uid(call: Call) -> str:
    """The new UID of a UID."""
    original = call.significant  # a reference to it may lack the padding
    return new_uid(call.resources.secret, original, call.resources.uid_root) if original else ""


ROOT_MOST = 38
"""With a longer root too few digits would be left for UIDs to differ."""

_ROOT = re.compile(r"(0|1|2)(\.(0|[1-9][0-9]*))+")


def check_uid_root(root: str) -> None:
    """Check what new UIDs shall begin with; "" is pydicom's root.

    Raises:
        SpecError: it is no root of UIDs.
    """
    if not root:
        return
    origin = f"--uidRoot {shortened(root)}"
    if not _ROOT.fullmatch(root):
        raise SpecError(f"{origin}: a root is numbers with dots between, such as 1.2.826.0.1.3680043.8.498")
    if len(root) > ROOT_MOST:
        raise SpecError(
            f"{origin}: it has more than {ROOT_MOST} characters, which leaves too few for the rest"
        )
    if f"{root}.".startswith(STANDARD_ROOT):
        raise SpecError(f"{origin}: below it are the UIDs of the standard itself; give a root of your own")
