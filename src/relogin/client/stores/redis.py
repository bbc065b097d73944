"""Stores in Redis or Valkey, for processes on any number of machines.

Use `RedisStore` with threads or tasks, and `AsyncRedisStore` with tasks only. A URL needs redis-py,
which the extra ``relogin[redis]`` installs. You can also pass a client of redis-py or valkey-py.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import iscoroutinefunction
from pickle import PicklingError
from typing import Any

from relogin.client.stores import Entry, Snapshot

__all__ = ["AsyncRedisStore", "RedisStore"]

# A script, so that a cluster answers with the clock of the node that holds the key.
_GET = "return {redis.call('HGETALL', KEYS[1]), redis.call('TIME')}"

# A field holds its revision, a space, and the text. If the same value is stored already, this call
# has written it before and its answer was lost: it has succeeded.
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

    `server` is a Redis URL: ``redis://``, ``rediss://`` for TLS, or ``unix://``, with the user and
    password of its access control list. Pass a function that returns the URL to pickle the store
    without a password. Or pass a client of your own, with its own time-outs and retries: a
    `redis.Redis`, one that `Sentinel.master_for` returns, a `RedisCluster`, or one of valkey-py.

    Tokens are stored in plain text, under keys that begin with `prefix`. The Redis user needs the
    commands EVAL, EVALSHA, SCRIPT LOAD, HGET, HGETALL, HSET, PEXPIRE and TIME. `timeout` is how
    many seconds a connection to a URL and each answer may take. `keep` is how many seconds an
    unused session is kept. Deadlines are measured on Redis's clock.

    In a failover Redis loses what it had not replicated yet. With `replicas=1` a refresh token is
    used only after a replica has recorded its use (this needs the command WAIT), so that no process
    uses it again after a failover. If no replica confirms in time, the store counts as unavailable.

    Raises `ValueError` for a URL that is not a Redis URL, `TypeError` for an asynchronous client
    and for `replicas` with a cluster, and `ImportError` for a URL if redis-py is not installed.

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
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._idle: deque[Any] = deque()

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        key = _key(self._prefix, origin, account)
        client = self._take()
        try:
            return _snapshot(self._get([key], client=client))
        finally:
            self._give_back(client)

    def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        """Return the entries alone: this takes half the time of `get`."""
        if _is_cluster(self._client):  # it may read from a replica, which lags behind
            return self.get(origin, account).entries
        key = _key(self._prefix, origin, account)
        client = self._take()
        try:
            return _entries(client.hgetall(key))
        finally:
            self._give_back(client)

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        key = _key(self._prefix, origin, account)
        arguments = _arguments(realm, entry, self._keep)
        if not (entry.durable and self._replicas):
            client = self._take()
            try:
                return bool(self._put([key], arguments, client=client))
            finally:
                self._give_back(client)
        with self._client.pipeline(transaction=False) as pipeline:
            _put_and_wait(pipeline, key, arguments, self._replicas, self._timeout)
            return _taken(pipeline.execute(), self._replicas)

    def _take(self) -> Any:
        """Return the client; of one that the store owns, a copy that keeps its connection.

        Taking a connection out of redis-py's pool and returning it costs as much as a command.
        """
        if not self._owns_client:
            return self._client
        if self._pid != os.getpid():  # the connections belong to the parent of this process
            self._begin()
        try:
            return self._idle.pop()
        except IndexError:
            return self._client.client()

    def _give_back(self, client: Any) -> None:
        if self._owns_client:
            self._idle.append(client)

    def close(self) -> None:
        """Close all connections; they reopen when needed. A client that you passed stays open."""
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
    """Shares sessions as `RedisStore` does, for asynchronous clients, without blocking the loop.

    Pass a `client` of your own, with its own time-outs and retries: a `redis.asyncio.Redis`, one
    that `Sentinel.master_for` returns, a `RedisCluster`, or one of valkey-py. It belongs to one
    event loop, and so does this store. `prefix`, `keep` and `replicas` are as in `RedisStore`, and
    both stores share their sessions. `timeout` is how many seconds to wait for replicas.

    Raises `TypeError` for anything but an asynchronous client, and for `replicas` with a cluster.

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

    async def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        """Return the entries alone: this takes half the time of `get`."""
        if _is_cluster(self._client):
            return (await self.get(origin, account)).entries
        return _entries(await self._client.hgetall(_key(self._prefix, origin, account)))

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
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


def _is_cluster(client: Any) -> bool:
    return hasattr(client, "get_node_from_key")


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
        # Retry once, immediately: an idle connection may have been closed.
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
    if replicas and _is_cluster(client):
        raise TypeError(
            "replicas= does not go with a cluster, whose clients have no WAIT for a key"
        )


def _put_and_wait(
    pipeline: Any, key: bytes, arguments: list[Any], replicas: int, timeout: float
) -> None:
    # On one connection, since WAIT covers only what was written on it. With the text of the script,
    # since a pipeline does not notice that the server has lost it. WAIT must answer before a client
    # with the same time-out gives up.
    pipeline.eval(_PUT, 1, key, *arguments)
    pipeline.wait(replicas, max(1, int(timeout * 500)))


def _taken(answers: list[Any], replicas: int) -> bool:
    stored, copies = answers
    if stored and copies < replicas:
        raise ConnectionError(f"{copies} of {replicas} replicas have taken what was stored")
    return bool(stored)


# What is sent and received, as octets: a client that the user passed may decode or not.


@lru_cache(maxsize=256)
def _key(prefix: str, origin: str, account: str) -> bytes:
    # A digest, since key names are shown in many places, and an account is personal data.
    digest = hashlib.sha256(f"{origin} {account}".encode()).hexdigest()
    return f"{prefix}{digest[:32]}".encode()


def _arguments(realm: str, entry: Entry, keep: float) -> list[Any]:
    written = f"{entry.revision + 1} {entry.text}"
    return [realm.encode(), entry.revision, written.encode(), int(keep * 1000)]


def _snapshot(answered: Any) -> Snapshot:
    fields, (seconds, microseconds) = answered
    entries = _entries(dict(zip(fields[::2], fields[1::2], strict=True)))
    return Snapshot(entries, int(seconds) + int(microseconds) / 1e6)


def _entries(fields: Mapping[bytes | str, bytes | str]) -> Mapping[str, Entry]:
    return {_text(realm): _entry(_text(written)) for realm, written in fields.items()}


def _text(octets: bytes | str) -> str:
    return octets if isinstance(octets, str) else octets.decode("utf-8", "replace")


_revised = re.compile(r"([1-9][0-9]{0,14}) (.*)", re.DOTALL).fullmatch


def _entry(written: str) -> Entry:
    """Read a field. One without a revision is not from this store, and will be replaced."""
    read = _revised(written)
    return Entry("", 0) if read is None else Entry(read[2], int(read[1]))
