"""What atheris calls with bytes of its own making: they are read as UTF-8, and as latin-1."""

import sys

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

# pyparsing too: which of its alternatives fits is what tells two malformed fields apart.
with atheris.instrument_imports(include=["relogin", "pyparsing"]):
    import relogin.wire.diagnose
    import relogin.wire.explain
    import relogin.wire.recover  # noqa: F401 - loaded here, or they would be loaded later, unseen
    from tests.fuzz.laws import check


def one_input(octets: bytes) -> None:
    check(octets.decode("latin-1"))
    check(octets.decode("utf-8", "replace"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
