"""Find the regular expressions of the package that some Pythons misread; exit code 1 for any.

- In Python 3.11.0 to 3.11.4 a possessive repetition goes on from wherever its last, failed round
  stopped (CPython's issue 106052). A last alternative that never matches, `|(?!)`, takes it back
  to where that round began.
- Up to Python 3.13 a group that captures in a possessive repetition, or in an atomic group, may
  raise SystemError (issue 101955).

    python -m tests.patterns
"""

import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterator
from typing import Any

_parser = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")

_PLAIN = {"LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "GROUPREF"}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_NEVER = _parser.parse("|(?!)")[0][1][1][-1]


def _inside(found: Any) -> Iterator[Any]:
    """The patterns that an element of a pattern holds."""
    if isinstance(found, _parser.SubPattern):
        yield found
    elif isinstance(found, (list, tuple)):
        for one in found:
            yield from _inside(one)


def _one_character(pattern: Any) -> bool:
    return len(pattern) == 1 and str(pattern[0][0]) in _PLAIN


def _goes_back(pattern: Any) -> bool:
    """Whether a round that fails leaves no trace: it fails at a plain character, or goes back."""
    *before, (kind, found) = pattern
    if not all(str(one) in _PLAIN for one, _ in before):
        return False
    if str(kind) == "BRANCH" and not before:
        alternatives = found[1]
        return repr(alternatives[-1]) == repr(_NEVER) or all(map(_goes_back, alternatives))
    if str(kind) in _REPEATS:
        return _one_character(found[2])
    return str(kind) in _PLAIN


def faults(pattern: Any, possessive: bool = False) -> Iterator[str]:
    """What some Python misreads in a parsed pattern."""
    for kind, found in pattern:
        name = str(kind)
        if name == "POSSESSIVE_REPEAT" and not (_one_character(found[2]) or _goes_back(found[2])):
            yield "a possessive repetition that does not end in |(?!)"
        if possessive and name == "SUBPATTERN" and found[0] is not None:
            yield "a group that captures in a possessive repetition or an atomic group"
        within = possessive or name in {"POSSESSIVE_REPEAT", "ATOMIC_GROUP"}
        for inner in _inside(found):
            yield from faults(inner, within)


def compiled_by_the_package() -> dict[tuple[str, int], None]:
    """Import every module of the package, and note the patterns that are compiled meanwhile."""
    noted: dict[tuple[str, int], None] = {}
    original = _compiler.compile

    def note(pattern: str | bytes, flags: int = 0) -> object:
        frame: Any = sys._getframe(1)
        while frame and not frame.f_globals.get("__name__", "").startswith("relogin"):
            frame = frame.f_back
        if frame and isinstance(pattern, str):
            noted[pattern, int(flags)] = None
        return original(pattern, flags)

    _compiler.compile = note
    re.purge()
    _import_all()
    return noted


def _import_all() -> None:
    import relogin  # only now: importing it compiles patterns

    if importlib.util.find_spec("django"):
        import django
        from django.conf import settings

        settings.configure(SECRET_KEY="unused", INSTALLED_APPS=["django.contrib.sessions"])
        django.setup()
    for module in pkgutil.walk_packages(relogin.__path__, "relogin."):
        if module.name.startswith("relogin.client.niquests"):  # it takes the place of urllib3
            continue
        importlib.import_module(module.name)
    relogin.diagnose("Bearer realm='a'")  # the rules are compiled when first needed


if __name__ == "__main__":
    patterns = compiled_by_the_package()
    misread = [
        f"{fault}: {pattern[:200]}"
        for pattern, flags in patterns
        for fault in faults(_parser.parse(pattern, flags))
    ]
    print(*misread, f"{len(patterns)} patterns", sep="\n")
    sys.exit(bool(misread))
