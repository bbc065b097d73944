"""A store in Redis, for processes on any number of machines. Needs the extra ``relogin[redis]``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as missing:
    raise ImportError(
        "relogin.client.stores.redis needs redis-py: pip install 'relogin[redis]'",
        name=missing.name,
    ) from missing

from relogin.client.stores import Entry, Snapshot

__all__ = ["RedisStore"]

# A field holds its revision, a space, and the text. What stands there already was written by this
# very call, whose answer was lost on its way: it has succeeded.
_PUT = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored ~= ARGV[3] then
    local revision = stored and string.match(stored, '^([1-9]%d*) ') or '0'
    if #revision > 15 then revision = '0' end
    if revision ~= ARGV[2] then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""


_SECRETS = ("password", "ssl_password")


class RedisStore:
    """Shares sessions between processes on any number of machines.

    `url` is Redis's own kind: ``redis://``, ``rediss://`` for TLS, or ``unix://``, with a user and
    a password for its access control list. A function that returns it lets the store be pickled
    without a password. Tokens lie there in plain text, under keys that begin with `prefix`; the
    user needs the commands EVAL, EVALSHA, SCRIPT LOAD, HGET, HGETALL, HSET, PEXPIRE and TIME.
    `timeout` is how many seconds connecting and each answer may take, `keep` how many an unused
    session is kept. Deadlines are measured on Redis's clock.

    Raises `ValueError` for a URL that is none of Redis's.

    >>> RedisStore("rediss://worker:secret@cache.example.com/0")
    <RedisStore at cache.example.com:6379>
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        *,
        prefix: str = "relogin:",
        timeout: float = 0.5,
        keep: float = 30 * 86400.0,
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._keep = keep
        self._client = redis.Redis.from_url(
            url if isinstance(url, str) else url(),
            decode_responses=True,
            encoding_errors="replace",
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Once more, at once: a connection that lay idle may have been closed meanwhile.
            retry=Retry(NoBackoff(), 1),
        )
        self._put = self._client.register_script(_PUT)

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(self._key(origin, account))
            pipeline.time()
            stored, (seconds, microseconds) = pipeline.execute()
        entries = {realm: _entry(written) for realm, written in stored.items()}
        return Snapshot(entries, seconds + microseconds / 1e6)

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the revision that `entry` names; `False` if it is gone."""
        written = f"{entry.revision + 1} {entry.text}"
        lifetime = int(self._keep * 1000)
        done = self._put(
            keys=[self._key(origin, account)], args=[realm, entry.revision, written, lifetime]
        )
        return bool(done)

    def close(self) -> None:
        """Close all connections. They are opened again when they are needed again."""
        self._client.connection_pool.disconnect()

    def _key(self, origin: str, account: str) -> str:
        # A digest, since the names of keys are shown in many places, and an account is personal.
        digest = hashlib.sha256(f"{origin} {account}".encode()).hexdigest()
        return f"{self._prefix}{digest[:32]}"

    def __repr__(self) -> str:
        to = self._client.connection_pool.connection_kwargs
        address = to.get("path") or f"{to.get('host', 'localhost')}:{to.get('port', 6379)}"
        return f"<RedisStore at {address}>"

    def __reduce__(self) -> tuple[Any, ...]:
        said = self._client.connection_pool.connection_kwargs
        if isinstance(self._url, str) and any(said.get(name) for name in _SECRETS):
            raise PicklingError(
                "this RedisStore holds a password: make it with a function that returns the URL, "
                "RedisStore(read_url), and that is pickled instead"
            )
        return _opened, (type(self), self._url, self._prefix, self._timeout, self._keep)


def _opened(
    cls: type[RedisStore], url: str | Callable[[], str], prefix: str, timeout: float, keep: float
) -> RedisStore:
    return cls(url, prefix=prefix, timeout=timeout, keep=keep)


_revised = re.compile(r"([1-9][0-9]{0,14}) (.*)", re.DOTALL).fullmatch


def _entry(written: str) -> Entry:
    """Read a field; one that has no revision, as above, is not of this store: it is replaced."""
    read = _revised(written)
    return Entry("", 0) if read is None else Entry(read[2], int(read[1]))
