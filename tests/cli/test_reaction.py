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
        (401, ['Bearer error="insufficient_scope"'], "does not help with insufficient_scope"),
        (401, ["Negotiate"], "With carry=Header(...)"),
        (401, ["Negotiate, NTLM"], "says. For Negotiate itself, use an auth class"),
        (401, ["Basic realm=a"], "says. For Basic itself, pass auth=(user, password)"),
        (401, ["Access denied."], "With carry=Header(...)"),
        (401, ['Bearer realm="https://a/token", service="b"'], "RegistryLogin gets such a token."),
        (401, ['Digest realm="a", nonce="b"'], "With DigestLogin it answers Digest."),
        (401, ["Basic, Token"], 'carry=Authorization("Token") makes it answer Token.'),
        (401, ["Unheard-Of a=b c"], 'carry=Authorization("Unheard-Of")'),
        (401, ["x" * 20_000], "neither is offered"),
        (407, [], "a proxy asking"),
        (440, [], "signals=[status(440)]"),
        (403, ['Bearer error="invalid_token"'], "It returns the 403: only a 401"),
        (403, ['Bearer error="insufficient_scope", scope="a"'], "With OAuth2Login"),
        (302, [], "signals=[redirect_to(...)]"),
        (200, ["Session"], "nothing was refused"),
    ],
)
def test_the_sentence_says_what_the_client_does(
    status: int | None, lines: list[str], said: str
) -> None:
    assert said in reaction(status, lines)
