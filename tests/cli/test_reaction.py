"""What is said about a client agrees with what its policy decides."""

import pytest

from relogin.cli.reaction import reaction


@pytest.mark.parametrize(
    ("status", "lines", "said"),
    [
        (401, ['Session realm="a", error="session_expired"'], "again with Authorization: Session."),
        (None, ["Bearer"], "again with Authorization: Bearer."),
        (401, [], "again with Authorization: Bearer."),
        (401, ['Session error="session_revoked"'], "ended on purpose"),
        (401, ['Session error="insufficient_user_authentication"'], "steps_up = True"),
        (401, ['Bearer error="insufficient_scope"'], "does not cure insufficient_scope"),
        (401, ["Negotiate"], "finds neither"),
        (407, [], "a proxy asking"),
        (440, [], "signals=[status(440)]"),
        (403, ['Bearer error="invalid_token"'], "It returns the 403"),
    ],
)
def test_the_sentence_says_what_the_client_does(
    status: int | None, lines: list[str], said: str
) -> None:
    assert said in reaction(status, lines)
