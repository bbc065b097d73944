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

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

__all__ = ["lazy_modules"]


def lazy_modules(package: str, *modules: str) -> Callable[[str], ModuleType]:
    """Return a module's `__getattr__` (PEP 562), which imports these modules of a package."""

    def load(name: str) -> ModuleType:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return load
