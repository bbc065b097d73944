"""What the stores in Redis send and receive: the scripts, the names of the keys, the values.

Names and values are octets, because a client that the user passed may decode or not.
"""

from __future__ import annotations

import binascii
import hashlib
import itertools
import re
import time
from collections.abc import Generator, Mapping
from functools import lru_cache
from typing import Any

from relogin.client.stores import Entry, Snapshot

__all__ = [
    "GET",
    "PUT",
    "arguments_of",
    "entries_of",
    "key_of",
    "put_and_wait",
    "reads",
    "snapshot_of",
    "stream_of",
    "taken",
]

# A script, so that a cluster answers with the clock of the node that holds the key.
GET = "return {redis.call('HGETALL', KEYS[1]), redis.call('TIME')}"

# A field holds its revision, a space, and the text. If the same value is stored already, this call
# has written it before and its answer was lost: it has succeeded. After a failover, a revision may
# come twice, so the digest of the value before is compared too.
#
# The last revision is also the ID of the only entry of a stream, for which other processes wait.
# Nothing depends on that: the user may lack the permission, or a slot may be on the move. So the
# stream is no declared key, whose lack would fail the script. Its ID is larger than the revision if
# the server has lost the text.
PUT = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored ~= ARGV[3] then
    local revision = stored and string.match(stored, '^([1-9]%d*) ') or '0'
    if #revision > 15 then revision = '0' end
    if revision ~= ARGV[2] then return 0 end
    if ARGV[6] ~= '' and redis.sha1hex(stored) ~= ARGV[6] then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    local id = string.match(ARGV[3], '^%d+') .. '-0'
    local function tell() return redis.pcall('XADD', ARGV[5], 'MAXLEN', 1, id, 'to', 'all') end
    if tell().err then
        redis.pcall('DEL', ARGV[5])
        tell()
    end
    redis.pcall('PEXPIRE', ARGV[5], 600000)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

# In seconds: how long a process waits before it makes sure that it will be told.
_TRUST = 0.2
# In seconds: Redis looks only ten times a second for reads that have blocked for long enough. The
# answer may be this late, and travels.
_LATE = 0.2


# Replicas


def put_and_wait(
    pipeline: Any, key: bytes, arguments: list[Any], replicas: int, timeout: float
) -> None:
    """Put a script into a pipeline, and after it a wait for so many replicas."""
    # On one connection, since WAIT covers only what was written on it. With the text of the script,
    # since a pipeline does not notice that the server has lost it. WAIT must answer before a client
    # with the same timeout gives up.
    pipeline.eval(PUT, 1, key, *arguments)
    pipeline.wait(replicas, max(1, int(timeout * 500)))


def taken(answers: list[Any], replicas: int) -> bool:
    """Read what such a pipeline has answered; raise `ConnectionError` for too few replicas."""
    stored, copies = answers
    if stored and copies < replicas:
        raise ConnectionError(f"only {copies} of {replicas} replicas have confirmed the write")
    return bool(stored)


# Waiting


def reads(
    revision: int, seconds: float, patience: float | None
) -> Generator[tuple[str, int | None], bool, None]:
    """Yield after which ID to read a stream, and for how many milliseconds to block.

    Is sent whether there was an entry. A read that blocks ends before the client gives up. The
    first that is in vain is followed by one that makes sure that the present revision was told.
    """
    longest = seconds if patience is None else min(patience / 2, patience - _LATE)
    if longest <= 0 < seconds:
        raise LookupError("the timeout of the client is too short to wait for changes")
    give_up, trusted = time.monotonic() + seconds, False
    while (left := give_up - time.monotonic()) > 0:
        block = min(left, longest, left if trusted else _TRUST)
        if (yield f"{revision}-0", max(1, int(block * 1000))):
            return
        if not (trusted or (yield f"{max(revision - 1, 0)}-0", None)):
            raise LookupError("the process that renews this session does not announce changes")
        trusted = True


# Names and values


@lru_cache(maxsize=256)
def key_of(prefix: str, origin: str, account: str) -> bytes:
    """Name the key of an origin and account."""
    # A digest, since key names are shown in many places, and an account is personal data.
    digest = hashlib.sha256(f"{origin} {account}".encode()).hexdigest()
    return f"{prefix}{digest[:32]}".encode()


@lru_cache(maxsize=256)
def stream_of(prefix: str, origin: str, account: str, realm: str) -> bytes:
    """Name the stream of a realm, in the slot of its key: another one fails in a cluster.

    Its name begins with the prefix, as the rights of a user may demand.
    """
    key = key_of(prefix, origin, account)
    of_realm = hashlib.sha256(realm.encode()).hexdigest()[:8].encode()
    if _hash_tag(key) != key:
        return b"%b:%b" % (key, of_realm)
    if not set(prefix) & set("{}"):
        return b"%b{%b}:%b" % (prefix.encode(), key, of_realm)
    # A lone brace is no hash tag, and prevents any: look for a name that happens to fit. One in
    # 16384 does; that takes some milliseconds.
    slot, begun = _crc(key, 0) % _SLOTS, b"%b:%b:" % (key, of_realm)
    so_far = _crc(begun, 0)
    more = (b"%d" % number for number in itertools.count())
    return begun + next(end for end in more if _crc(end, so_far) % _SLOTS == slot)


_SLOTS = 16384
_crc = binascii.crc_hqx  # the CRC-16 of Redis's cluster specification


def _hash_tag(key: bytes) -> bytes:
    """Return the part of a key that decides its slot: a first pair of braces, or the whole."""
    tag, closing, _ = key.partition(b"{")[2].partition(b"}")
    return tag if tag and closing else key


def arguments_of(realm: str, entry: Entry, keep: float, stream: bytes) -> list[Any]:
    """Return the arguments of `PUT`."""
    written = f"{entry.revision + 1} {entry.text}"
    milliseconds, before = max(int(keep * 1000), 1), _digest_before(entry)
    return [realm.encode(), entry.revision, written.encode(), milliseconds, stream, before]


def _digest_before(entry: Entry) -> str:
    """Return the digest of the value that an entry replaces, as Redis calculates it."""
    if entry.before is None or not entry.revision:
        return ""
    before = f"{entry.revision} {entry.before}".encode("utf-8", _AS_IT_IS)
    return hashlib.sha1(before, usedforsecurity=False).hexdigest()


def snapshot_of(answered: Any) -> Snapshot:
    """Read what `GET` has returned."""
    fields, (seconds, microseconds) = answered
    entries = entries_of(dict(zip(fields[::2], fields[1::2], strict=True)))
    return Snapshot(entries, int(seconds) + int(microseconds) / 1e6)


def entries_of(fields: Mapping[bytes | str, bytes | str]) -> Mapping[str, Entry]:
    """Read the fields of a key."""
    return {_text(realm): _entry(_text(value, _AS_IT_IS)) for realm, value in fields.items()}


_AS_IT_IS = "surrogateescape"  # so that invalid UTF-8 can be compared


def _text(octets: bytes | str, errors: str = "replace") -> str:
    return octets if isinstance(octets, str) else octets.decode("utf-8", errors)


_revised = re.compile(r"([1-9][0-9]{0,14}) (.*)", re.DOTALL).fullmatch


def _entry(written: str) -> Entry:
    """Read a field. One without a revision is not from this store, and will be replaced."""
    read = _revised(written)
    return Entry("", 0) if read is None else Entry(read[2], int(read[1]), before=read[2])
