"""Real servers for the tests of stores, empty at first."""

from collections.abc import Iterator

import psycopg
import pytest

from relogin.client.stores.postgres import PostgresStore
from tests.client.postgres_server import PostgresServer, a_postgres_server
from tests.client.redis_server import RedisServer, a_redis_cluster, a_redis_server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with a_redis_server() as running:
        yield running


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[list[int]]:
    """The ports of a cluster; it takes three seconds to start, so one serves all tests."""
    with a_redis_cluster() as ports:
        yield ports


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with a_postgres_server() as running:
        yield running


@pytest.fixture
def conninfo(postgres: PostgresServer) -> Iterator[str]:
    """How to connect to a database that has the table of a store."""
    PostgresStore(postgres.conninfo).create_table()
    yield postgres.conninfo
    with psycopg.connect(postgres.conninfo) as connection:
        connection.execute("DROP TABLE relogin_sessions")
