"""The flow and the gate, brought into the state that a vector describes, and asked to decide."""

from __future__ import annotations

from typing import Any, TypeAlias

from relogin import Admitted, Grant, LoginRefused, Refused, SessionError
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final, Login, Replay, Wait
from relogin.client.renewal.policy import Credential, Key, Policy, ResponseInfo
from relogin.client.responders import BEARER, SESSION
from relogin.client.terms.outcomes import Outcome
from relogin.server.gate import Gate, StepUp
from relogin.server.request import Request
from tests.client.steps import Clock, Steps

__all__ = ["Client", "answered"]

Row: TypeAlias = dict[str, Any]

ORIGIN = "https://api.example.com"
SPENT = 60.0
"""Seconds after which a login no longer counts in the limit (SPEC.md, C-29)."""


class Client:
    """A client in the state that a row of client.json describes."""

    def __init__(self, row: Row) -> None:
        self.row, self.request, self.state = row, row["request"], row["state"]
        self.clock = Clock()
        said = row["client"]
        policy = Policy(
            origins=frozenset({ORIGIN}),
            responders=(SESSION, BEARER),
            realm=said["realm"],
            unchallenged=BEARER,
            bare=said["takes_bare"],
            steps_up=said["steps_up"],
        )
        self.cache = CredentialCache(policy, self.clock)
        self.tokens: dict[str, Credential] = {}
        self._prepare()

    def _prepare(self) -> None:
        """Log in as often as the row says, and no more often: each login is a token."""
        carried, held = self.request["token"], self.row["held"]
        for realm, token in held.items():
            if realm != self.request["realm"]:
                self._log_in(realm, token)
        self.clock.now += SPENT
        if carried and not self.request["replays"]:
            for count in range(self.state["logins"] - 1, 0, -1):
                self._log_in(self.request["realm"], f"{carried}-{count}")
            self._log_in(self.request["realm"], carried)
            self.clock.now += 0 if self.state["logins"] else SPENT
        for method, path in self.state["remembered"]:
            self._remember(method, path)

    def _info(
        self, challenges: list[str], carried: Credential | None, **facts: Any
    ) -> ResponseInfo:
        asked = self.request
        given: dict[str, Any] = {
            "status": 401,
            "method": asked["method"],
            "url": asked["origin"] + asked["path"],
            "origin": asked["origin"],
            "sent_with": carried,
            "challenges": challenges,
            "once": asked["sent_once"],
            "replayable": asked["repeatable"],
        }
        return ResponseInfo(object(), **given | facts)

    def _refused(self, realm: str, carried: Credential | None, **facts: Any) -> ResponseInfo:
        challenge = f'Session realm="{realm}", error="session_expired"'
        facts = {"origin": ORIGIN, "url": f"{ORIGIN}/login"} | facts
        return self._info([challenge], carried, method="GET", once=True, replayable=True, **facts)

    def _log_in(self, realm: str, token: str) -> None:
        """Have a request of its own refused, log in and be served."""
        flow = Steps(self.cache, self._refused(realm, self.held(realm)))
        assert isinstance(flow.command, Login)
        flow.send(Grant(token=token))
        self.tokens[token] = flow.command.credential  # type: ignore[attr-defined]
        flow.send(self._refused(realm, self.tokens[token], status=200))
        assert isinstance(flow.result, Final)

    def _remember(self, method: str, path: str) -> None:
        """Have a 401 without a code outlast a login, there."""
        place = {"method": method, "url": ORIGIN + path, "once": True, "replayable": True}
        carried = self.tokens[self.request["token"]]
        lines = ['Session realm="orders"']
        flow = Steps(self.cache, self._info(lines, carried, **place))
        flow.send(Grant(token=self.request["token"]))
        newest = self.held(self.request["realm"])
        self.tokens[self.request["token"]] = newest  # type: ignore[assignment]
        flow.send(self._info(lines, newest, **place))
        assert flow.result.outcome is Outcome.REFUSED_AGAIN
        self.clock.now += SPENT

    def held(self, realm: str) -> Credential | None:
        return self.cache.newer(Key(ORIGIN, realm), None)

    def _history(self) -> Steps | None:
        """What this request has done already: it was replayed, after a login or without one."""
        replays, logins = self.request["replays"], self.request["logins"]
        if not replays:
            return None
        realm, last = self.request["realm"], self.request["token"]
        sent: Credential | None = None
        flow: Steps | None = None
        for left in range(replays, 0, -1):
            token = last if left == 1 else f"{last}-{left - 1}"
            leads = left <= logins
            if not leads:
                self._log_in(realm, token)
            lines = ['Session realm="orders", error="session_expired"']
            refused = self._info(lines, sent)
            flow = Steps(self.cache, refused) if flow is None else flow.send(refused)
            if leads:
                assert isinstance(flow.command, Login)
                flow.send(Grant(token=token))
            assert isinstance(flow.command, Replay)
            sent = self.tokens[token] = flow.command.credential
        return flow

    def _last_steps(self) -> None:
        """What other requests have done meanwhile."""
        request, held = self.request, self.row["held"]
        token = held.get(request["realm"] or "orders")
        if token is not None and token not in self.tokens:
            self._log_in(request["realm"] or "orders", token)
            self.clock.now += SPENT if request["token"] is None else 0
        for realm in self.state["under_way"]:
            self._under_way = Steps(self.cache, self._refused(realm, self.held(realm)))
        if self.state["blocked"]:
            flow = Steps(self.cache, self._refused("orders", self.held("orders")))
            failure = LoginRefused("no") if self.state["blocked"] == "refused" else OSError("down")
            flow.throw(failure)

    def decide(self) -> Row:
        """What the client does about the response of the row, in the words of the vectors."""
        history = self._history()
        self._last_steps()
        carried = self.tokens[self.request["token"]] if self.request["token"] else None
        for space in self.cache._spaces.get(ORIGIN, {}).values():
            space.challenges = self.state["challenged"]
        response = self.row["response"]
        info = self._info(response["www_authenticate"], carried, status=response["status"])
        before = self._tokens_held()
        flow = Steps(self.cache, info) if history is None else history.send(info)
        dropped = before != self._tokens_held()
        action, then = self._said(flow)
        return {"action": action, "drops": dropped, "then": then}

    def _tokens_held(self) -> list[bool]:
        return [self.held(realm) is not None for realm in ("orders", "stock", "")]

    def _said(self, flow: Steps) -> tuple[str, str | None]:
        match flow.command:
            case Wait():
                return "wait", None
            case Replay():
                return "replay", None
            case Login() as login:
                enough = login.context.error != SessionError.INSUFFICIENT
                after = flow.send(Grant(token="brand-new")).result
                return "log in" if enough else "step up", "replay" if after is None else "return"
            case _:
                assert isinstance(flow.result, Final)
                return "return", None


STATES: dict[str, Any] = {
    "unknown": None,
    "alive": Admitted("Ada", auth_age=4000),
    "timed out": Refused(SessionError.EXPIRED),
    "ended": Refused(SessionError.REVOKED),
    "trouble": OSError("the store is away"),
}


def answered(row: Row) -> tuple[int, str | None]:
    """Status and code that the gate answers with, in the state that a row of server.json has."""
    asked = row["request"]
    fields = {"authorization": asked["authorization"], "cookie": asked["cookie"]}
    fields["origin"] = [asked["origin"]] if "origin" in asked else []
    steps = {"/": StepUp(300)} if row["resource"]["step_up"] else {}
    gate = Gate("orders", cookie="sid", step_up=steps, collapse=row["collapses"])
    method = asked.get("method", "GET")
    claim = gate.claim(Request(method, "/", lambda name: fields.get(name, [])))
    state = None if claim.token is None else STATES[row["sessions"][claim.token]]
    decision = gate.decide(claim, state)
    answer = decision.answer
    if answer is None and asked["csrf"] == "wrong":
        answer = gate.refuse(decision, Refused("csrf_invalid"))
    if answer is None:
        return 200, None
    lines = [value for name, value in answer.headers if name == "WWW-Authenticate"]
    return answer.status, _code(lines)


def _code(lines: list[str]) -> str | None:
    import relogin

    found = [one for one in relogin.parse(lines) if one.scheme == "Session"]
    return found[0].get("error") if found else None
