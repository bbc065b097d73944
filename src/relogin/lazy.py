"""Modules that are imported when they are first used, as PEP 810 will have it (Python 3.15).

A program that meets no dead session needs neither a renewal nor a login, and pays for neither. The
package says which of its modules can wait::

    if TYPE_CHECKING:
        from relogin.client.renewal import flow
    else:
        __getattr__ = lazy_modules(__name__, "flow")

Whoever needs them asks the package: `from relogin.client import renewal`, and in a function
`renewal.flow.answer(…)`. That is an attribute like any other once the module is there.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock  # as functools takes it: threading would be slower to load than all this
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

__all__ = ["importing", "lazy_modules", "no_attribute"]

# Python holds a lock for each module during its import. A child that is forked meanwhile gets a
# copy of it that nobody releases, and would wait forever; so a fork waits for the import.
importing: RLock = RLock()
"""Held while a function imports: `with importing: from … import …`."""

# What people look for in a package that is one floor too high.
_ELSEWHERE = {
    "SessionAuth": "the module of your HTTP library: from relogin.client.requests import"
    " SessionAuth (or relogin.client.httpx, .httpx2, .aiohttp, .niquests)",
    "SessionGate": "the module of your framework: from relogin.server.flask import SessionGate (or"
    " relogin.server.django, .starlette for FastAPI too, .wsgi, .asgi)",
    "MemoryStore": "relogin.client.stores.memory",
    "SQLiteStore": "relogin.client.stores.sqlite",
    "RedisStore": "relogin.client.stores.redis",
    "PostgresStore": "relogin.client.stores.postgres",
    "Context": "relogin.client.terms.grant",
    "StepUp": "relogin.server.gate",
    **dict.fromkeys(
        ("BasicLogin", "DigestLogin", "FormLogin", "JSONLogin", "Logout", "OAuth2Login", "OneTime"),
        "relogin.client.logins",
    ),
}


def no_attribute(module: str, name: str) -> Exception:
    """Make the error for a name that a module's `__getattr__` does not have.

    It says where to find some names. For `from … import …` it is an `ImportError` then, because
    Python shows no text of an `AttributeError` there.

    >>> no_attribute("relogin", "SQLiteStore")
    AttributeError('SQLiteStore is in relogin.client.stores.sqlite')
    """
    if name not in _ELSEWHERE:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    told, asking = f"{name} is in {_ELSEWHERE[name]}", sys._getframe(1).f_back
    if asking is not None and asking.f_code.co_name == "_handle_fromlist":  # of importlib
        return ImportError(told, name=module)
    return AttributeError(told)


def lazy_modules(package: str, *modules: str) -> Callable[[str], ModuleType]:
    """Return a module's `__getattr__` (PEP 562), which imports these modules of a package."""

    def load(name: str) -> ModuleType:
        if name not in modules:
            raise no_attribute(package, name)
        with importing:
            return import_module(f"{package}.{name}")

    return load


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(
        before=importing.acquire,
        after_in_parent=importing.release,
        after_in_child=importing.release,
    )
