"""Without its library, each driver and each store says what to install."""

import pytest

from tests.programs import python


@pytest.mark.parametrize(
    ("module", "missing", "told"),
    [
        ("aiohttp", "aiohttp", "aiohttp: pip install 'relogin[aiohttp]'"),
        ("httpx", "httpx", "httpx: pip install 'relogin[httpx]'"),
        ("httpx", "anyio", "httpx: pip install 'relogin[httpx]'"),
        ("httpx2", "httpx2", "httpx2: pip install 'relogin[httpx2]'"),
        ("httpx2", "anyio", "httpx2: pip install 'relogin[httpx2]'"),
        ("niquests", "niquests", "niquests: pip install 'relogin[niquests]'"),
        ("stores.postgres", "psycopg", "psycopg: pip install 'relogin[postgres]'"),
    ],
)
def test_where_the_library_is_missing_the_import_says_what_to_install(
    module: str, missing: str, told: str
) -> None:
    ran = python(f"import sys; sys.modules[{missing!r}] = None; import relogin.client.{module}")
    assert ran.stderr.splitlines()[-1] == f"ImportError: relogin.client.{module} needs {told}"


def test_with_an_httpx_that_takes_no_auth_as_1_0_the_import_says_what_to_install() -> None:
    ran = python(
        "import sys, types; sys.modules['httpx'] = types.ModuleType('httpx');"
        " import relogin.client.httpx"
    )
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: relogin.client.httpx needs httpx below 1.0, because httpx 1.0 takes no auth:"
        " pip install 'httpx<1'"
    )


def test_without_redis_py_a_url_says_what_to_install() -> None:
    ran = python(
        "import sys; sys.modules['redis'] = None\n"
        "from relogin.client.stores.redis import RedisStore\n"
        "RedisStore('redis://')"
    )
    assert "pip install 'relogin[redis]'" in ran.stderr
