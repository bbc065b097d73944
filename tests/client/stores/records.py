"""Records whose lease was given out, and whose grant was put."""

from __future__ import annotations

from relogin import Grant
from relogin.client.stores.record import Record

GRANT = Grant(token="s3cret-1", refresh="r3fresh-1", cookies={"sid": "1"}, expires_in=100)
NOW = 1000.0


def leased(record: Record, now: float = NOW, seconds: float = 30.0) -> Record:
    """The record once the lease for renewing what it has is given out."""
    lease = record.acquire(record.of_grant, seconds, now)
    assert lease is not None
    return lease


def put(record: Record, grant: Grant = GRANT, now: float = NOW) -> Record:
    """The record once the holder of the lease has put a grant."""
    done = record.put(record.of_lease, grant, "Session", now)
    assert done is not None
    return done


def renewed(record: Record | None = None, grant: Grant = GRANT, now: float = NOW) -> Record:
    return put(leased(record or Record(), now), grant, now)
