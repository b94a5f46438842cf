"""The secret key: where it comes from, what is derived from it, and that nothing shows it."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import threading
from pathlib import Path

import pytest

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec.secret import KEY_VARIABLE, MOST_BYTES, Secret, load_secret

KEY = bytes(range(200, 232))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


def test_subkey_is_an_hmac_of_its_use() -> None:
    for use in ("uid", "dateshift", "hmac", "dummy"):
        expected = hmac.new(KEY, b"pfdicom_tagSub/" + use.encode(), hashlib.sha256).digest()
        assert Secret(KEY).subkey(use) == expected
        assert Secret(KEY).digest(use, b"x") == hmac.new(expected, b"x", hashlib.sha256).digest()


def test_fingerprint_tells_keys_apart_and_is_no_subkey_in_use() -> None:
    secret = Secret(KEY)
    assert len(secret.fingerprint) == 16
    assert int(secret.fingerprint, 16)
    assert secret.fingerprint == Secret(bytes(KEY)).fingerprint
    assert secret.fingerprint != Secret(KEY + b"\n").fingerprint
    for use in ("uid", "dateshift", "hmac", "dummy"):
        assert not secret.subkey(use).hex().startswith(secret.fingerprint)
    assert secret.fingerprint not in hashlib.sha256(KEY).hexdigest()


def test_secret_is_not_shown_and_can_be_sent_to_workers() -> None:
    secret = Secret(b"0123456789abcdef")
    assert "0123" not in f"{secret!r} {secret}"
    assert pickle.loads(pickle.dumps(secret)) == secret
    assert hash(pickle.loads(pickle.dumps(secret))) == hash(secret)


@pytest.mark.parametrize("key", [b"", b"x", b"0123456789abcde"])
def test_secret_that_is_too_short_is_an_error(key: bytes) -> None:
    with pytest.raises(SpecError, match="at least 16"):
        Secret(key)


@pytest.mark.parametrize(
    "key", [b"0123456789abcdef", bytes(15) + b"\1", KEY, b"\xef\xbb\xbf" + KEY + b"\r\n", KEY * 99]
)
def test_key_file_is_taken_as_it_is(key: bytes, key_file: Path) -> None:
    key_file.write_bytes(key)
    assert load_secret(str(key_file), {}) == (Secret(key), ())


@pytest.mark.parametrize("key", [bytes(32), b" " * 16])
def test_key_of_one_byte_over_and_over_is_warned_of(key: bytes, key_file: Path) -> None:
    key_file.write_bytes(key)
    for found, origin in (
        (load_secret(str(key_file), {}), str(key_file)),
        (load_secret("", {KEY_VARIABLE: key}), "KEY"),
    ):
        secret, (warning,) = found
        assert secret == Secret(key)
        assert origin in warning
        assert "head -c 32" in warning


def test_key_file_wins_over_the_environment(key_file: Path) -> None:
    secret, _ = load_secret(str(key_file), {KEY_VARIABLE: b"another key of the environment"})
    assert secret == Secret(KEY)


def test_environment_gives_the_key_and_counts_as_unset_when_empty() -> None:
    assert load_secret("", {KEY_VARIABLE: b"\xff\0" * 8}) == (Secret(b"\xff\0" * 8), ())
    assert load_secret("", {KEY_VARIABLE: b""}) == (None, ())
    assert load_secret("", {}) == (None, ())


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_key_file_that_others_can_read_is_warned_of(mode: int, is_open: bool, key_file: Path) -> None:
    key_file.chmod(mode)
    secret, warnings = load_secret(str(key_file), {})
    assert secret == Secret(KEY)
    assert len(warnings) == is_open
    assert all(str(key_file) in text and "chmod 600" in text for text in warnings)


def test_key_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    writer = threading.Thread(target=pipe.write_bytes, args=(KEY,))
    writer.start()
    assert load_secret(str(pipe), {}) == (Secret(KEY), ())
    writer.join()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("missing", "No such file"),
        (".", "Is a directory"),
        ("key/below", "Not a directory"),
        ("a\0b", "not a path"),
        ("x" * 300, "too long"),
    ],
)
def test_key_file_that_is_none_is_an_error(name: str, part: str, key_file: Path) -> None:
    path = f"{key_file.parent}/{name}"
    with pytest.raises(SpecError) as stop:
        load_secret(path, {KEY_VARIABLE: KEY})
    assert str(stop.value).startswith(f"--keyFile {path}: ")
    assert part in str(stop.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_key_file_that_cannot_be_read_is_an_error(key_file: Path) -> None:
    key_file.chmod(0)
    with pytest.raises(SpecError, match="Permission denied"):
        load_secret(str(key_file), {})


@pytest.mark.parametrize(
    ("key", "part"), [(b"", "0 bytes"), (b"Geheim!", "7 bytes"), (b"x" * (MOST_BYTES + 1), "right file")]
)
def test_key_of_the_wrong_length_is_an_error_that_does_not_quote_it(
    key: bytes, part: str, key_file: Path
) -> None:
    key_file.write_bytes(key)
    with pytest.raises(SpecError, match=part) as stop:
        load_secret(str(key_file), {})
    assert "Geheim" not in str(stop.value)
    assert str(key_file) in str(stop.value)


def test_key_of_the_environment_that_is_too_short_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(SpecError, match="PFDICOM_TAGSUB_KEY: the key has 7 bytes") as stop:
        load_secret("", {KEY_VARIABLE: b"Geheim!"})
    assert "Geheim" not in str(stop.value)
