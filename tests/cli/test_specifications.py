"""What `explain` knows of the schemes: where each is specified, and what a client does."""

import json
from pathlib import Path

import pytest

import relogin
from relogin.cli.specifications import ERRORS, PARAMETERS, SPECIFICATIONS, specification

REGISTERED = {
    *("basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "negotiate"),
    *("oauth", "privatetoken", "scram-sha-1", "scram-sha-256", "vapid"),
}  # IANA, HTTP Authentication Schemes
VECTORS = Path(__file__).parents[1] / "vectors"


def documents(field: str, status: int | None = None) -> list[str]:
    (challenge,) = relogin.parse(field)
    return [one.document for one in specification(challenge, status)]


def test_every_registered_scheme_is_known() -> None:
    assert set(SPECIFICATIONS) >= REGISTERED


def test_what_is_said_is_one_sentence() -> None:
    for table in (SPECIFICATIONS, PARAMETERS, ERRORS):
        for one in table.values():
            assert one.client[0].isupper()
            assert one.client.endswith(".")
            assert one.client.count(". ") == 0


def test_what_is_looked_up_by_is_in_lower_case() -> None:
    names = [*SPECIFICATIONS, *(word for pair in (*PARAMETERS, *ERRORS) for word in pair)]
    assert names == [name.lower() for name in names]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("bAsIc realm=a", ["RFC 7617"]),
        ('DPoP algs="ES256", error="use_dpop_nonce"', ["RFC 9449", "RFC 9449 §9"]),
        ('Bearer error="insufficient_scope"', ["RFC 6750", "RFC 6750 §3.1"]),
        ('Bearer resource_metadata="https://a.example/"', ["RFC 6750", "RFC 9728"]),
        ('Cargo login_url="https://a.example/"', ["Cargo's registry authentication"] * 2),
        ("OTP", ["npm's registry API"]),
        ("ipaddress", ["npm's registry API"]),
        ('L402 version="0", token="a", invoice="b"', ["L402"]),
        ('Payment id="a", method="b", request="c"', ["draft-httpauth-payment"]),
        ('PrivateToken challenge="a=", token-key="b="', ["RFC 9577"]),
        ('GNAP as_uri="a", access="b", referrer="c"', ["RFC 9635"] + ["RFC 9635 §9.1"] * 2),
        ('DPoP error="invalid_dpop_proof"', ["RFC 9449", "RFC 9449 §7.1"]),
        ("vapid", ["RFC 8292"]),
        (
            'Bearer authorization_uri="a", error="insufficient_claims", claims="e30="',
            [
                "RFC 6750",
                "Microsoft Entra",
                "OpenID Connect Core §5.5, as Microsoft Entra uses it",
                "Microsoft Entra, continuous access evaluation",
            ],
        ),
        ("Unheard-Of realm=a", []),
    ],
)
def test_a_challenge_is_looked_up(field: str, told: list[str]) -> None:
    assert documents(field) == told


@pytest.mark.parametrize(
    ("field", "status", "told"),
    [
        ("Negotiate oRQw", 200, ["RFC 4559 §5"]),
        ("Negotiate oRQw", 401, ["RFC 4559"]),
        ("Negotiate", 200, ["RFC 4559"]),
        ("Negotiate oRQw", None, ["RFC 4559"]),
    ],
)
def test_a_token_of_the_server_is_told_from_a_challenge(
    field: str, status: int | None, told: list[str]
) -> None:
    assert documents(field, status) == told


def test_most_schemes_that_real_servers_sent_are_known() -> None:
    rows = json.loads((VECTORS / "wild.json").read_text("utf-8"))
    sent = [one["scheme"] for row in rows for one in row.get("expected", row.get("recovered"))]
    known = [scheme for scheme in sent if scheme.lower() in SPECIFICATIONS]
    assert len(known) > 0.8 * len(sent)
