"""Answers to Digest challenges: the examples of RFC 7616 §3.9, and what else its §3.4 asks for."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin import AuthInfo, Credentials, DigestChallenge, parse
from relogin.schemes import digest_hash
from relogin.schemes.digest_answer import Answers, Counts

MUFASA = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
# RFC 7616 §3.9.2; the hashes are those of erratum 4897: the printed ones are of another function.
DOE = (
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
    'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
    'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash={userhash}'
)


def challenge(field: str) -> DigestChallenge:
    return DigestChallenge.from_challenge(parse(field)[0])


def answered(answers: Answers, *request: Any) -> Credentials:
    return Credentials.parse(answers.answer(*request))


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_two_algorithms_is_answered_as_in_the_standard(
    algorithm: str, response: str
) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    answers = Answers(
        challenge(MUFASA.format(algorithm=algorithm)), "Mufasa", "Circle of Life", cnonce=cnonce
    )
    assert dict(answered(answers, "GET", "/dir/index.html").params) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": cnonce,
        "qop": "auth",
        "response": response,
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }


def doe(*, userhash: bool) -> Credentials:
    answers = Answers(
        challenge(DOE.format(userhash=str(userhash).lower())),
        "Jäsøn Doe",
        "Secret, or not?",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    return answered(answers, "GET", "/doe.json")


def test_the_example_of_a_hashed_name_is_answered_as_in_the_erratum() -> None:
    sent = doe(userhash=True)
    name = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert (sent["username"], sent["response"], sent["userhash"]) == (name, response, "true")


def test_the_example_of_a_name_in_utf_8_is_written_as_rfc_8187_says() -> None:
    sent = doe(userhash=False)
    assert (sent["username*"], "username" in sent) == ("UTF-8''J%C3%A4s%C3%B8n%20Doe", False)


def test_a_target_is_hashed_as_it_is_and_quoted_where_it_is_written() -> None:
    answers, target = Answers(challenge('Digest realm="x", nonce="n"'), "ada", "pw"), '/a"b\\c'
    written = answers.answer("GET", target)
    assert r'uri="/a\"b\\c"' in written
    sent = Credentials.parse(written)
    assert sent["uri"] == target
    assert sent["response"] == md5(f"{md5('ada:x:pw')}:n:{md5(f'GET:{target}')}")


def test_a_name_in_ascii_needs_no_encoding() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", charset=UTF-8'), "ada", "p")
    assert answered(answers, "GET", "/")["username"] == "ada"


@pytest.mark.parametrize("userhash", [True, False])
def test_a_server_of_utf_8_gets_name_and_password_in_their_composed_form(userhash: bool) -> None:
    field = f'Digest realm="x", nonce="n", qop="auth", charset=utf-8, userhash={userhash}'
    forms = [("Ja\u0308s", "se\u0301cret"), ("J\u00e4s", "s\u00e9cret")]
    sent = [answered(Answers(challenge(field), *f, cnonce="c"), "GET", "/") for f in forms]
    assert sent[0] == sent[1]


def test_a_server_without_a_charset_gets_name_and_password_as_they_are() -> None:
    name = "Ja\u0308s"
    sent = answered(Answers(challenge('Digest realm="x", nonce="n"'), name, "p"), "GET", "/")
    assert sent["username"].encode("latin-1") == name.encode()
    assert sent["response"] == md5(f"{md5(f'{name}:x:p')}:n:{md5('GET:/')}")


def test_a_name_without_a_charset_is_sent_as_the_octets_of_utf_8() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", qop="auth"'), "Jäsøn", "p")
    sent = answered(answers, "GET", "/")
    assert sent["username"].encode("latin-1") == "Jäsøn".encode()


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_a_server_of_rfc_2069_gets_an_answer_without_qop_count_and_algorithm() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", opaque="o"'), "ada", "pw")
    sent = answered(answers, "GET", "/a?b=c")
    expected = md5(f"{md5('ada:x:pw')}:n:{md5('GET:/a?b=c')}")
    assert set(sent.params) == {"username", "realm", "nonce", "uri", "response", "opaque"}
    assert sent["response"] == expected


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256", "SHA-512"])
@pytest.mark.parametrize("qop", ["", "auth"])
def test_a_session_algorithm_hashes_the_first_nonce_into_the_secret(
    algorithm: str, qop: str
) -> None:
    field = f'Digest realm="x", nonce="n1", algorithm={algorithm}-sess'
    answers = Answers(challenge(field + (f', qop="{qop}"' if qop else "")), "ada", "pw", cnonce="c")
    answers.roll("n2")
    sent = answered(answers, "GET", "/")
    function = algorithm.replace("-", "").replace("SHA512256", "SHA512_256")

    def hexed(text: str) -> str:
        return hashlib.new(function, text.encode()).hexdigest()

    secret = hexed(f"{hexed('ada:x:pw')}:n1:c")
    counted = "00000001:c:auth:" if qop else ""
    assert sent["response"] == hexed(f"{secret}:n2:{counted}{hexed('GET:/')}")
    assert (sent["algorithm"], sent["cnonce"]) == (f"{algorithm}-sess", "c")


def test_auth_int_hashes_the_content() -> None:
    answers = Answers(
        challenge('Digest realm="x", nonce="n", qop="auth-int"'), "ada", "pw", cnonce="c"
    )
    content = answers.hashed([b"he", b"llo"])
    assert answers.qop == {"auth-int"}
    sent = answered(answers, "POST", "/", content)
    what = md5(f"POST:/:{md5('hello')}")
    assert sent["response"] == md5(f"{md5('ada:x:pw')}:n:00000001:c:auth-int:{what}")


def test_the_realm_is_hashed_as_the_octets_that_came() -> None:
    field = 'Digest realm="' + "Büro".encode().decode("latin-1") + '", nonce="n"'
    sent = answered(Answers(challenge(field), "ada", "pw"), "GET", "/")
    assert sent["response"] == md5(f"{md5('ada:Büro:pw')}:n:{md5('GET:/')}")


def test_each_answer_counts_once_whatever_the_threads() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", qop="auth"'), "ada", "pw")
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: answered(answers, "GET", "/")["nc"], range(400)))
    assert sorted(counts) == [f"{n:08x}" for n in range(1, 401)]


def test_another_nonce_is_counted_from_one() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n1", qop="auth"'), "ada", "pw")
    answers.answer("GET", "/")
    answers.roll("n2")
    sent = answered(answers, "GET", "/")
    assert (sent["nonce"], sent["nc"]) == ("n2", "00000001")


any_text = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"))
field_text = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(any_text, any_text, field_text, field_text, st.sampled_from(["", "auth"]))
def test_every_answer_reads_back_as_what_it_was_made_of(
    user: str, password: str, realm: str, target: str, qop: str
) -> None:
    asked = challenge('Digest nonce="n"' + (f', qop="{qop}"' if qop else ""))
    object.__setattr__(asked, "realm", realm)
    sent = answered(Answers(asked, user, password), "GET", target)
    assert (sent["realm"], sent["uri"]) == (realm, target)
    assert sent["username"].encode("latin-1").decode() == user


def test_two_challenges_with_one_nonce_share_its_count() -> None:
    counts, asked = Counts(), challenge('Digest realm="x", nonce="n1", qop="auth"')
    both = [Answers(asked, "ada", "pw", counts=counts) for _ in range(2)]
    assert [answered(answers, "GET", "/")["nc"] for answers in both] == ["00000001", "00000002"]


def test_a_next_nonce_that_two_responses_name_is_next_once() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n1", qop="auth"'), "ada", "pw")
    for nonce in ("n2", "n2", "n3"):
        answers.roll(nonce)
    assert [answered(answers, "GET", "/")["nonce"] for _ in range(2)] == ["n2", "n3"]


def test_only_the_last_nonces_are_counted_and_no_other_process_counts_on() -> None:
    counts = Counts()
    for number in range(1000):
        next(counts.of(str(number)))
    assert [next(counts.of(nonce)) for nonce in ("999", "0")] == [2, 1]
    assert next(pickle.loads(pickle.dumps(counts)).of("999")) == 1


def test_the_server_proves_that_it_knows_the_password() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", qop="auth"'), "ada", "pw", cnonce="c")
    sent = answers.answer("GET", "/")
    proof = md5(f"{md5('ada:x:pw')}:n:00000001:c:auth:{md5(':/')}")
    assert answers.is_proof(sent, AuthInfo({"rspauth": proof.upper()})) is True
    assert answers.is_proof(sent, AuthInfo({"rspauth": proof[::-1]})) is False


def test_a_proof_of_before_another_nonce_still_counts() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n", qop="auth"'), "a", "p", cnonce="c")
    sent = answers.answer("GET", "/")
    answers.roll("n2")
    proof = md5(f"{md5('a:x:p')}:n:00000001:c:auth:{md5(':/')}")
    assert answers.is_proof(sent, AuthInfo({"rspauth": proof})) is True


@pytest.mark.parametrize(
    ("qop", "sent", "info"),
    [
        ("auth", None, {"nextnonce": "m"}),
        ("auth", "no credentials, these", {"rspauth": "0"}),
        ("auth", "Basic YTpi", {"rspauth": "0"}),
        ("auth-int", None, {"rspauth": "0"}),
    ],
)
def test_where_nothing_is_proved_nothing_is_said(
    qop: str, sent: str | None, info: dict[str, str]
) -> None:
    answers = Answers(challenge(f'Digest realm="x", nonce="n", qop="{qop}"'), "ada", "pw")
    content = answers.hashed([]) if qop == "auth-int" else None
    assert answers.is_proof(sent or answers.answer("GET", "/", content), AuthInfo(info)) is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('Digest realm="x", nonce="n", algorithm=ROT13', "unknown Digest algorithm .*ROT13"),
        ('Digest realm="x"', "has no nonce"),
        ('Digest realm="x", nonce="n", qop="auth-conf"', "qop"),
    ],
)
def test_what_cannot_be_answered_is_refused(field: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Answers(challenge(field), "ada", "pw")


@pytest.fixture
def without_sha_512_256(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    new = hashlib.new

    def lacking(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "sha512_256":
            raise ValueError("unsupported hash type")
        return new(name, *arguments, **options)

    monkeypatch.setattr(hashlib, "new", lacking)
    digest_hash.algorithm_named.cache_clear()
    yield
    digest_hash.algorithm_named.cache_clear()


@pytest.mark.usefixtures("without_sha_512_256")
def test_a_function_that_openssl_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="has no SHA-512-256"):
        Answers(challenge('Digest realm="x", nonce="n", algorithm=SHA-512-256'), "ada", "pw")


@pytest.mark.usefixtures("without_sha_512_256")
def test_a_function_that_openssl_lacks_is_passed_over() -> None:
    from relogin import best

    offered = parse(
        'Digest realm="x", nonce="n", algorithm=SHA-512-256, Digest realm="x", nonce="n"'
    )
    assert best(offered, "Digest") == offered[1]


def test_no_secret_is_shown() -> None:
    answers = Answers(challenge('Digest realm="x", nonce="n"'), "ada", "pw")
    assert repr(answers) == "<Answers to MD5 realm='x'>"
