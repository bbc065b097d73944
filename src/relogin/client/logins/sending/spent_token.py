"""Whether a login that failed may have used up its refresh token, which has one use."""

from __future__ import annotations

from relogin.client.logins.sending.connections import chain, names
from relogin.client.terms.progress import Progress

__all__ = ["spends_refresh_token", "was_sent"]

# What the libraries raise if there was no connection to send anything over.
_BEFORE_SENDING = frozenset(
    {
        *("NoTimeLeft", "NewConnectionError", "ConnectTimeoutError"),
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "InvalidURL", "UnsupportedProtocol"),
        *("ClientConnectorError", "ConnectionTimeoutError", "NonHttpUrlClientError"),
        *("ConnectionRefusedError", "gaierror", "SSLCertVerificationError"),
    }
)
# What they raise if no answer came, or half of one; an error status is none of these. Broken JSON
# is half an answer, too: http.client takes half a header for a whole one.
_NO_ANSWER = frozenset(
    {
        *("ConnectionError", "Timeout", "ChunkedEncodingError", "TransportError", "TimeoutError"),
        *("ClientConnectionError", "ClientPayloadError", "HTTPException", "ProtocolError"),
        "JSONDecodeError",
    }
)


def was_sent(error: BaseException) -> bool:
    """Tell whether a request that ended in this error may have reached its server."""
    return not any(_BEFORE_SENDING & names(each) for each in chain(error))


def spends_refresh_token(error: BaseException, done: Progress | None = None) -> bool:
    """Tell whether the refresh token that a login was given may be used up.

    The login says so with `refresh_spent` on the exception. If it does not, the token counts as
    used up if a server has accepted what the login posted, or if no response has come, to the login
    or to a proxy (504).
    """
    said = vars(error).get("refresh_spent")
    if said is not None:
        return bool(said)
    if done is not None and done.accepted:
        return True
    answer = getattr(error, "response", None)
    if getattr(answer, "status_code", getattr(error, "status", None)) == 504:
        return True  # a proxy has waited for the answer in vain
    unanswered = any(_NO_ANSWER & names(each) for each in chain(error))
    return unanswered and was_sent(error)
