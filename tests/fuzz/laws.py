"""What holds for every text. `check` raises AssertionError, or what should not have escaped."""

from collections.abc import Callable

import relogin
from relogin import AuthInfo, ChallengeSyntaxError, Credentials
from relogin.wire import Scanned, grammar
from relogin.wire.faults import KINDS
from relogin.wire.scan import scan_challenges, scan_credentials, scan_params


def check(text: str) -> None:
    """Read a text in every way there is, and compare."""
    readers_agree(text)
    errors_say_where(text)
    recovery_is_sound(text)


def readers_agree(text: str) -> None:
    """The scanner and the grammar take the same fields and read them alike."""
    credentials, params = scan_credentials(text), scan_params(text)
    scanned: dict[str, list[Scanned] | None] = {
        "challenges": scan_challenges(text),
        "credentials": None if credentials is None else [credentials],
        "authentication-info": None if params is None else [("", None, params)],
    }
    for rule, expected in scanned.items():
        read = grammar.read(rule, text)
        assert (None if isinstance(read, grammar.Stop) else read) == expected, rule


def errors_say_where(text: str) -> None:
    """Nothing but a syntax error escapes a reader, and it keeps nothing that is secret."""
    for reader in (relogin.parse, Credentials.parse, AuthInfo.parse):
        error = _refusal(reader, text)
        if error is not None:
            assert error.fault in KINDS
            assert 0 <= error.start <= error.end <= len(text)
            assert error.source == (text if reader is relogin.parse else "")
            assert error.__cause__ is error.__context__ is None


def _refusal(reader: Callable[[str], object], text: str) -> ChallengeSyntaxError | None:
    try:
        reader(text)
    except ChallengeSyntaxError as error:
        return error
    return None


def recovery_is_sound(text: str) -> None:
    """Lenient reading is strict reading where that is possible, and else what can be written."""
    diagnosis = relogin.diagnose(text)
    read = list(diagnosis.challenges)
    scanned = scan_challenges(text)
    assert diagnosis.wellformed == (scanned is not None)
    assert scanned is None or read == relogin.parse(text)
    assert relogin.parse(relogin.serialize(read)) == read
    for challenge in read:
        assert challenge.scheme in text
    for fault in diagnosis.faults:
        assert fault.kind in KINDS
        assert 0 <= fault.start <= fault.end <= len(text)
    assert "\n" in str(diagnosis)
