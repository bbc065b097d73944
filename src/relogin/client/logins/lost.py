"""What may have come of a login that has ended in an exception: a refresh token has one use."""

from __future__ import annotations

from relogin.client.logins.kept import chain, names
from relogin.client.terms.progress import Progress

__all__ = ["spends_refresh_token", "was_sent"]

# What the libraries raise where there was no connection to send anything over.
_BEFORE_SENDING = frozenset(
    {
        *("NoTimeLeft", "NewConnectionError", "ConnectTimeoutError"),
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "InvalidURL", "UnsupportedProtocol"),
        *("ClientConnectorError", "ConnectionTimeoutError", "NonHttpUrlClientError"),
        *("ConnectionRefusedError", "gaierror"),
    }
)
# What they raise where no answer came, or half of one; a status that is an error is none of these.
# JSON that is none is half an answer, too: http.client takes half a header for a whole one.
_NO_ANSWER = frozenset(
    {
        *("ConnectionError", "Timeout", "ChunkedEncodingError", "TransportError", "TimeoutError"),
        *("ClientConnectionError", "ClientPayloadError", "HTTPException", "ProtocolError"),
        "JSONDecodeError",
    }
)


def was_sent(error: BaseException) -> bool:
    """Tell whether a request may have reached its server that has ended in this error."""
    return not any(_BEFORE_SENDING & names(each) for each in chain(error))


def spends_refresh_token(error: BaseException, done: Progress | None = None) -> bool:
    """Tell whether the refresh token that a login was given may be used up.

    The login itself says so with `refresh_spent`, of whatever it raises. If it says nothing, a
    token is spent if a server has accepted what the login posted, whatever failed after that, or if
    no answer has come, to the caller or to a proxy (504).
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
