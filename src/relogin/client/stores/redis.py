"""Stores in Redis or Valkey, for processes on any number of machines.

Use `RedisStore` with threads or tasks, and `AsyncRedisStore` with tasks only. A URL needs redis-py,
which the extra ``relogin[redis]`` installs. You can also pass a client of redis-py or valkey-py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from pickle import PicklingError
from typing import Any

from relogin.client.stores import Entry, Snapshot
from relogin.client.stores import redis_wire as wire
from relogin.client.stores.idle import Idle
from relogin.client.stores.options import seconds as in_seconds

__all__ = ["AsyncRedisStore", "RedisStore"]

_A_MONTH = 30 * 86400.0  # in seconds
_ANY_NUMBER = 2**31
_SECRETS = ("password", "ssl_password")


class RedisStore:
    """Shares sessions between processes on any number of machines.

    `server` is a Redis URL: ``redis://``, ``rediss://`` for TLS, or ``unix://``, with the user and
    password of its access control list. Pass a function that returns the URL to pickle the store
    without a password. Or pass a client of your own, with its own timeouts and retries: a
    `redis.Redis`, one that `Sentinel.master_for` returns, a `RedisCluster`, or one of valkey-py.

    Tokens are stored in plain text, under keys that begin with `prefix`. The Redis user needs the
    commands EVAL, EVALSHA, SCRIPT LOAD, HGET, HGETALL, HSET, PEXPIRE and TIME. If it has DEL, XADD
    and XREAD too, a process that waits for another process's login is told when it ends; if not, or
    with a timeout of 0.2 seconds or less, it polls. `timeout` is how many seconds a connection to
    a URL and each reply may take. `keep` is how many seconds an unused session is kept. Deadlines
    are measured on Redis's clock.

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
        self._timeout = in_seconds("RedisStore", "timeout", timeout, zero=False)
        self._keep = in_seconds("RedisStore", "keep", keep)
        self._replicas = replicas
        self._owns_client = not _is_client(server)
        self._begin()
        if iscoroutinefunction(self._client.execute_command):
            raise TypeError("RedisStore: an asynchronous client needs AsyncRedisStore")
        _check("RedisStore", self._client, prefix, replicas)

    def _begin(self) -> None:
        own = self._owns_client
        self._client = _connect(self._server, self._timeout) if own else self._server
        self._get = self._client.register_script(wire.GET)
        self._put = self._client.register_script(wire.PUT)
        # Last: after a fork, another thread that saw it would use the client of the parent.
        self._idle = _none_idle()

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        key = wire.key_of(self._prefix, origin, account)
        return wire.snapshot_of(self._do(lambda client: self._get([key], client=client)))

    def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        """Return the entries alone: this takes half the time of `get`."""
        if _is_cluster(self._client):  # it may read from a replica, which lags behind
            return self.get(origin, account).entries
        key = wire.key_of(self._prefix, origin, account)
        return wire.entries_of(self._do(lambda client: client.hgetall(key)))

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        key = wire.key_of(self._prefix, origin, account)
        stream = wire.stream_of(self._prefix, origin, account, realm)
        arguments = wire.arguments_of(realm, entry, self._keep, stream)
        if not (entry.durable and self._replicas):
            return bool(self._do(lambda client: self._put([key], arguments, client=client)))
        with self._client.pipeline(transaction=False) as pipeline:
            wire.put_and_wait(pipeline, key, arguments, self._replicas, self._timeout)
            return wire.taken(pipeline.execute(), self._replicas)

    def wait(self, origin: str, account: str, realm: str, revision: int, seconds: float) -> None:
        """Wait until the text has another revision, for at most `seconds`.

        Raise `LookupError` if the process that stored the text does not announce changes.
        """
        stream = wire.stream_of(self._prefix, origin, account, realm)
        reads = wire.reads(revision, seconds, _patience(self._client))

        def read(client: Any) -> None:
            with suppress(StopIteration):
                after, milliseconds = next(reads)
                while True:
                    told = client.xread({stream: after}, block=milliseconds)
                    after, milliseconds = reads.send(bool(told))

        self._do(read)

    def _do(self, call: Callable[[Any], Any]) -> Any:
        """Send a command; after an interrupt, the next one must not read its reply."""
        if not self._owns_client:
            return call(self._client)
        client, idle = self._take()
        try:
            return call(client)
        except BaseException:  # an interrupt leaves an answer unread too
            client.connection.disconnect()  # the next command connects it again
            raise
        finally:
            idle.give_back(client)

    def _take(self) -> tuple[Any, Idle[Any]]:
        """Return a copy of the client that keeps its connection, and to whom to give it back.

        Taking a connection out of redis-py's pool and returning it costs as much as a command.
        """
        if self._idle.is_inherited:
            # The connections belong to the parent of this process, and so may the pool's lock: it
            # is held forever if another thread held it at the fork. To close them needs that too.
            _inherited.append(self._client)
            self._begin()
        idle = self._idle
        return idle.take(self._client.client), idle

    def close(self) -> None:
        """Close all connections, those in use after that; they reopen when needed.

        A client that you passed stays open.
        """
        if not self._idle.is_inherited:
            idle, self._idle = self._idle, _none_idle()
            idle.close()

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


_inherited: list[Any] = []


def _none_idle() -> Idle[Any]:
    return Idle(_disconnect)


def _disconnect(client: Any) -> None:
    client.connection.disconnect()
    client.close()  # which gives its connection back to the pool, to be connected again


class AsyncRedisStore:
    """Shares sessions as `RedisStore` does, for asynchronous clients, without blocking the loop.

    Pass a `client` of your own, with its own timeouts and retries: a `redis.asyncio.Redis`, one
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
        _check("AsyncRedisStore", client, prefix, replicas)
        self._client = client
        self._prefix = prefix
        self._timeout = in_seconds("AsyncRedisStore", "timeout", timeout, zero=False)
        self._keep = in_seconds("AsyncRedisStore", "keep", keep)
        self._replicas = replicas
        self._get = client.register_script(wire.GET)
        self._put = client.register_script(wire.PUT)

    async def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        return wire.snapshot_of(await self._get(keys=[wire.key_of(self._prefix, origin, account)]))

    async def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        """Return the entries alone: this takes half the time of `get`."""
        if _is_cluster(self._client):
            return (await self.get(origin, account)).entries
        return wire.entries_of(
            await self._client.hgetall(wire.key_of(self._prefix, origin, account))
        )

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        key = wire.key_of(self._prefix, origin, account)
        stream = wire.stream_of(self._prefix, origin, account, realm)
        arguments = wire.arguments_of(realm, entry, self._keep, stream)
        if not (entry.durable and self._replicas):
            return bool(await self._put([key], arguments))
        async with self._client.pipeline(transaction=False) as pipeline:
            wire.put_and_wait(pipeline, key, arguments, self._replicas, self._timeout)
            return wire.taken(await pipeline.execute(), self._replicas)

    async def wait(
        self, origin: str, account: str, realm: str, revision: int, seconds: float
    ) -> None:
        """Wait until the text has another revision, for at most `seconds`."""
        stream = wire.stream_of(self._prefix, origin, account, realm)
        reads = wire.reads(revision, seconds, _patience(self._client))
        try:
            after, milliseconds = next(reads)
            while True:
                told = await self._client.xread({stream: after}, block=milliseconds)
                after, milliseconds = reads.send(bool(told))
        except StopIteration:
            return

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
        from redis import ConnectionError as Disconnected
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as missing:
        raise ImportError(
            "RedisStore needs redis-py for a URL: pip install 'relogin[redis]'", name=missing.name
        ) from missing
    return Redis.from_url(
        url if isinstance(url, str) else url(),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # As before redis-py 8, which raises an error at the 101st: each waiting task needs one.
        max_connections=_ANY_NUMBER,
        # Retry once, immediately: an idle connection may have been closed.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[Disconnected],  # before redis-py 6, nothing else makes it retry
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


def _check(store: str, client: Any, prefix: object, replicas: object) -> None:
    if not isinstance(prefix, str):
        raise TypeError(f"{store}: prefix= must be a str, not {type(prefix).__name__}")
    if not isinstance(replicas, int) or replicas < 0:
        raise ValueError(f"{store}: replicas= must be a number of replicas, not {replicas!r}")
    if replicas and _is_cluster(client):
        raise TypeError(
            f"{store}: replicas= cannot be used with a cluster, whose clients have no WAIT for a "
            "key"
        )


def _patience(client: Any) -> float | None:
    """Return the timeout of a response to this client, if it has one."""
    pool = getattr(client, "connection_pool", None) or client.nodes_manager
    seconds: float | None = pool.connection_kwargs.get("socket_timeout")
    return seconds
