"""The connection to the scheduler of a Dask cluster, and what is said where there is none."""

from __future__ import annotations

import gc
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

import dask
import distributed
from distributed.comm import CommClosedError
from distributed.comm.core import FatalCommClosedError

from ...core.errors import ClusterError

CONNECT_TIMEOUT = "distributed.comm.timeouts.connect"
ENCRYPTED = ("tls://", "wss://")

_AUTHORITY = "distributed.comm.tls.ca-file"
_CERTIFICATE = "distributed.comm.tls.client.cert"
_KEY = "distributed.comm.tls.client.key"
_GRACE_SECONDS = 1.0
_NO_TLS = {"HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "WRONG_VERSION_NUMBER"}
"""What OpenSSL calls an answer that is no TLS; that depends on its version."""

R = TypeVar("R")


def connected(address: str) -> distributed.Client:
    """The client of a scheduler.

    Args:
        address: where it is.

    Raises:
        ClusterError: it is not there, or does not talk to this command; and what may help.
    """
    seconds = duration(CONNECT_TIMEOUT, "30 s")
    # A client that cannot be made complains on standard error when it is collected, so
    # what can be known before is asked before.
    try:
        normalized: str = distributed.comm.normalize_address(address)
        distributed.comm.get_address_host(normalized)
    except (LookupError, TypeError, ValueError):
        raise ClusterError(f"--dask {address}: write HOST:PORT, or tls://HOST:PORT") from None
    if problem := _problem_of_tls(normalized):
        raise ClusterError(f"--dask {address}: {problem}")

    def connect() -> distributed.Client:
        return distributed.Client(address, timeout=seconds, set_as_default=False, name="pfdicom_tagSub")

    try:
        # Dask waits without end for one that takes the connection and then says nothing.
        return within(seconds + _GRACE_SECONDS, connect)
    except Exception as error:
        reason = _reason(error, normalized, seconds)
    # Dask closes a client that meets an error of its connection, but not of another kind. That one closes
    # when it is collected: now, for at the end its loop stands still, and it waits for that a minute.
    gc.collect()
    raise ClusterError(f"--dask {address}: {reason}")


def duration(setting: str, default: str) -> float:
    """The seconds of a setting of Dask.

    Raises:
        ClusterError: it is no duration.
    """
    value = dask.config.get(setting, default)
    try:
        return float(dask.utils.parse_timedelta(value))
    except (LookupError, TypeError, ValueError):
        raise ClusterError(f"Dask's setting {setting} is {value!r}: write a duration, such as 30s") from None


def within(seconds: float, call: Callable[[], R]) -> R:
    """A call that is waited for no longer; calls of a cluster that is half gone may hang.

    Raises:
        TimeoutError: it took longer.
        Exception: what the call raised.
    """
    result: Future[R] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result(seconds)


def _problem_of_tls(address: str) -> str:
    """Why this end cannot take part in the connection, and the cure; "" where it can."""
    try:
        security = distributed.Security()
    except (TypeError, ValueError) as error:  # a version of TLS that is none
        return str(error)
    if security.require_encryption and not address.startswith(ENCRYPTED):
        return (
            "Dask's setting distributed.comm.require-encryption wants an encrypted connection; "
            "write tls://HOST:PORT"
        )
    settings = {
        _AUTHORITY: security.tls_ca_file,
        _CERTIFICATE: security.tls_client_cert,
        _KEY: security.tls_client_key,
    }
    missing = [name for name in (_AUTHORITY, _CERTIFICATE) if not settings[name]]
    if missing and address.startswith(ENCRYPTED):
        variables = " and ".join(
            f"DASK_{name.upper().replace('.', '__').replace('-', '_')}" for name in missing
        )
        return f"an encrypted connection needs certificates; name them by {variables} or in Dask's files"
    for name, value in settings.items():
        if value and "\n" not in value:  # else the certificate itself
            try:
                with open(value, "rb"):
                    pass
            except OSError as error:
                return f"Dask's setting {name}, {value}: {error.strerror}"
    try:
        security.get_connection_args("client")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return f"what Dask's settings {_AUTHORITY} and {_CERTIFICATE} name cannot be used ({reason})"
    return ""


def _reason(error: BaseException, address: str, seconds: float) -> str:
    """Why there is no connection; the texts of Dask's own errors differ from version to version."""
    is_encrypted = address.startswith(ENCRYPTED)
    other = "tcp://HOST:PORT" if is_encrypted else "tls://HOST:PORT"
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of the scheduler is not accepted ({cause.verify_message}); "
                f"{_AUTHORITY} has to hold the authority that signed it"
            )
    reasons = [cause.reason or "" for cause in chain if isinstance(cause, ssl.SSLError)]
    if any(reason in _NO_TLS for reason in reasons):
        return f"no TLS is spoken there ({reasons[0]}); a scheduler without TLS is {other}"
    if reasons or any(isinstance(cause, FatalCommClosedError) for cause in chain):
        what = next(filter(None, reasons), type(error).__name__)
        return (
            f"the scheduler does not accept the certificate of {_CERTIFICATE} ({what}); "
            f"the authority of its {_AUTHORITY} has to have signed it, and it has to be valid now"
        )
    kind = type(error).__name__
    if isinstance(error, ImportError):
        return "the scheduler has another version of distributed"
    if isinstance(error, CommClosedError | ValueError):
        speech = "with" if is_encrypted else "without"
        return f"what answers there is no scheduler {speech} TLS ({kind}); perhaps it is {other}"
    return f"no scheduler answers there within {seconds:g} seconds ({kind})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        real: object = getattr(error, "real_error", None)  # of Tornado's streams
        if isinstance(real, BaseException):
            yield real
        error = error.__cause__ or error.__context__
