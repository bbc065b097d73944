"""Stores in Redis or Valkey, for processes on any number of machines.

`RedisStore` serves threads, and `AsyncRedisStore` tasks alone. A URL needs redis-py, which the
extra ``relogin[redis]`` installs; a client of yours may be valkey-py's too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from inspect import iscoroutinefunction
from pickle import PicklingError
from typing import Any

from relogin.client.stores import Entry, Snapshot

__all__ = ["AsyncRedisStore", "RedisStore"]

# A script, so that a cluster answers with the clock of the node where the key lies.
_GET = "return {redis.call('HGETALL', KEYS[1]), redis.call('TIME')}"

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

_A_MONTH = 30 * 86400.0  # in seconds
_SECRETS = ("password", "ssl_password")


class RedisStore:
    """Shares sessions between processes on any number of machines.

    `server` is a URL of Redis's own kind: ``redis://``, ``rediss://`` for TLS, or ``unix://``, with
    a user and a password for its access control list. With a function that returns the URL, the
    store can be pickled without a password. Or it is a client of yours, with its own time-outs and
    retries: a `redis.Redis`, one that a `Sentinel` returns from `master_for`, a `RedisCluster`, or
    one of valkey-py.

    Tokens lie in Redis in plain text, under keys that begin with `prefix`; the user needs the
    commands EVAL, EVALSHA, SCRIPT LOAD, HGET, HGETALL, HSET, PEXPIRE and TIME. `timeout` is how
    many seconds connecting to a URL and each answer may take, `keep` how many an unused session is
    kept. Deadlines are measured on Redis's clock.

    Redis forgets in a failover what its replicas had not taken yet. With `replicas=1` a refresh
    token is used only after a replica has taken note of that (which needs the command WAIT), so
    that nobody uses it again after a failover. If none does so in time, the store counts as away.

    Raises `ValueError` for a URL that is none of Redis's, `TypeError` for an asynchronous client
    and for `replicas` with a cluster, and `ImportError` for a URL where redis-py is missing.

    >>> RedisStore("rediss://worker:secret@cache.example.com/0")
    <RedisStore at cache.example.com:6379>
    """

    def __init__(
        self,
        server: Any,
        *,
        prefix: str = "relogin:",
        timeout: float = 0.5,
        keep: float = _A_MONTH,
        replicas: int = 0,
    ) -> None:
        self._server = server
        self._prefix = prefix
        self._timeout = timeout
        self._keep = keep
        self._replicas = replicas
        self._owns_client = not _is_client(server)
        self._client = _connect(server, timeout) if self._owns_client else server
        if iscoroutinefunction(self._client.execute_command):
            raise TypeError("RedisStore: an asynchronous client needs AsyncRedisStore")
        _check_replicas(self._client, replicas)
        self._get = self._client.register_script(_GET)
        self._put = self._client.register_script(_PUT)

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        return _snapshot(self._get(keys=[_key(self._prefix, origin, account)]))

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the revision that `entry` names; `False` if it is gone."""
        key = _key(self._prefix, origin, account)
        arguments = _arguments(realm, entry, self._keep)
        if not (entry.durable and self._replicas):
            return bool(self._put(keys=[key], args=arguments))
        with self._client.pipeline(transaction=False) as pipeline:
            _put_and_wait(pipeline, key, arguments, self._replicas, self._timeout)
            return _taken(pipeline.execute(), self._replicas)

    def close(self) -> None:
        """Close all connections, which open again when needed. A client of yours stays as it is."""
        if self._owns_client:
            self._client.connection_pool.disconnect()

    def __repr__(self) -> str:
        if not self._owns_client:
            return f"<RedisStore on {type(self._client).__name__}>"
        to = self._client.connection_pool.connection_kwargs
        address = to.get("path") or f"{to.get('host', 'localhost')}:{to.get('port', 6379)}"
        return f"<RedisStore at {address}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._owns_client:
            raise _client_is_not_pickled("RedisStore")
        said = self._client.connection_pool.connection_kwargs
        if isinstance(self._server, str) and any(said.get(name) for name in _SECRETS):
            raise PicklingError(
                "this RedisStore holds a password: make it with a function that returns the URL, "
                "RedisStore(read_url), and that is pickled instead"
            )
        given = (self._server, self._prefix, self._timeout, self._keep, self._replicas)
        return _opened, (type(self), *given)


class AsyncRedisStore:
    """Shares sessions as `RedisStore` does, for asynchronous clients, and blocks no event loop.

    `client` is yours, with its own time-outs and retries: a `redis.asyncio.Redis`, one that a
    `Sentinel` returns from `master_for`, a `RedisCluster`, or valkey-py's. It belongs to one event
    loop, and so does this store. `prefix`, `keep` and `replicas` mean what they do in `RedisStore`;
    the two share what they keep. `timeout` is how many seconds replicas have.

    Raises `TypeError` for what is no asynchronous client, and for `replicas` with a cluster.

    >>> import redis.asyncio
    >>> AsyncRedisStore(redis.asyncio.Redis(host="cache.example.com"))
    <AsyncRedisStore on Redis>
    """

    def __init__(
        self,
        client: Any,
        *,
        prefix: str = "relogin:",
        timeout: float = 0.5,
        keep: float = _A_MONTH,
        replicas: int = 0,
    ) -> None:
        if not (_is_client(client) and iscoroutinefunction(client.execute_command)):
            raise TypeError("AsyncRedisStore takes an asynchronous client: redis.asyncio.Redis(…)")
        _check_replicas(client, replicas)
        self._client = client
        self._prefix = prefix
        self._timeout = timeout
        self._keep = keep
        self._replicas = replicas
        self._get = client.register_script(_GET)
        self._put = client.register_script(_PUT)

    async def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        return _snapshot(await self._get(keys=[_key(self._prefix, origin, account)]))

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the revision that `entry` names; `False` if it is gone."""
        key = _key(self._prefix, origin, account)
        arguments = _arguments(realm, entry, self._keep)
        if not (entry.durable and self._replicas):
            return bool(await self._put(keys=[key], args=arguments))
        async with self._client.pipeline(transaction=False) as pipeline:
            _put_and_wait(pipeline, key, arguments, self._replicas, self._timeout)
            return _taken(await pipeline.execute(), self._replicas)

    def __repr__(self) -> str:
        return f"<AsyncRedisStore on {type(self._client).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise _client_is_not_pickled("AsyncRedisStore")


def _is_client(server: Any) -> bool:
    return hasattr(server, "register_script")


def _client_is_not_pickled(store: str) -> PicklingError:
    return PicklingError(
        f"this {store} was given a client, and no client is pickled: make one in each process"
    )


def _connect(url: str | Callable[[], str], timeout: float) -> Any:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as missing:
        raise ImportError(
            "RedisStore needs redis-py for a URL: pip install 'relogin[redis]'", name=missing.name
        ) from missing
    return Redis.from_url(
        url if isinstance(url, str) else url(),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # Once more, at once: a connection that lay idle may have been closed meanwhile.
        retry=Retry(NoBackoff(), 1),
    )


def _opened(
    cls: type[RedisStore],
    server: str | Callable[[], str],
    prefix: str,
    timeout: float,
    keep: float,
    replicas: int,
) -> RedisStore:
    return cls(server, prefix=prefix, timeout=timeout, keep=keep, replicas=replicas)


# Replicas


def _check_replicas(client: Any, replicas: int) -> None:
    if replicas and hasattr(client, "get_node_from_key"):
        raise TypeError(
            "replicas= does not go with a cluster, whose clients have no WAIT for a key"
        )


def _put_and_wait(
    pipeline: Any, key: bytes, arguments: list[Any], replicas: int, timeout: float
) -> None:
    # On one connection, since WAIT is about what was written on its own; and with the script's
    # text, since in a pipeline nobody would see that the server has forgotten it. The answer must
    # come before a client of that time-out gives up.
    pipeline.eval(_PUT, 1, key, *arguments)
    pipeline.wait(replicas, max(1, int(timeout * 500)))


def _taken(answers: list[Any], replicas: int) -> bool:
    stored, copies = answers
    if stored and copies < replicas:
        raise ConnectionError(f"{copies} of {replicas} replicas have taken what was stored")
    return bool(stored)


# What goes to and fro, as octets: a client of the user's may encode and decode as it likes.


def _key(prefix: str, origin: str, account: str) -> bytes:
    # A digest, since the names of keys are shown in many places, and an account is personal.
    digest = hashlib.sha256(f"{origin} {account}".encode()).hexdigest()
    return f"{prefix}{digest[:32]}".encode()


def _arguments(realm: str, entry: Entry, keep: float) -> list[Any]:
    written = f"{entry.revision + 1} {entry.text}"
    return [realm.encode(), entry.revision, written.encode(), int(keep * 1000)]


def _snapshot(answered: Any) -> Snapshot:
    fields, (seconds, microseconds) = answered
    texts = [_text(field) for field in fields]
    entries = dict(zip(texts[::2], map(_entry, texts[1::2]), strict=True))
    return Snapshot(entries, int(seconds) + int(microseconds) / 1e6)


def _text(octets: bytes | str) -> str:
    return octets if isinstance(octets, str) else octets.decode(errors="replace")


_revised = re.compile(r"([1-9][0-9]{0,14}) (.*)", re.DOTALL).fullmatch


def _entry(written: str) -> Entry:
    """Read a field; one that has no revision, as above, is not of this store: it is replaced."""
    read = _revised(written)
    return Entry("", 0) if read is None else Entry(read[2], int(read[1]))
