"""What all ready-made logins share: they keep secrets, go to one URL, and run over any library."""

from __future__ import annotations

import base64
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from relogin.client.logins.answers import said, where
from relogin.client.logins.sending.exchange import Steps, run, run_async
from relogin.client.terms.answer import Answer
from relogin.client.terms.fields import is_token
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import check_secure
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = [
    "ANY",
    "FORM",
    "JSON",
    "Account",
    "Login",
    "Text",
    "basic",
    "called",
    "check_method",
    "check_refused",
    "check_text",
    "checked_text",
    "kind_of",
]

Text: TypeAlias = str | Callable[[], str]

# Ask for no compression: a compressed answer could grow without a bound.
ANY = {"Accept-Encoding": "identity"}
JSON = ANY | {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, repr=False, eq=False, weakref_slot=True)
class Account(ABC):
    """What all logins share: they show no secret, and pickle no literal password."""

    @abstractmethod
    def _secrets(self) -> tuple[object, ...]:
        """Return what must not be pickled, unless it is a function."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not all(callable(secret) for secret in self._secrets()):
            from pickle import PicklingError

            raise PicklingError(
                f"this {type(self).__name__} contains a password and so cannot be pickled: pass a "
                "function that returns the password"
            )
        return self._rebuilding()

    def _rebuilding(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        return _rebuilt, (type(self), values)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Login(Account):
    """A login that sends its requests to a URL of its own."""

    url: str
    refused: Callable[[Answer], object] | None = field(default=None, kw_only=True)
    insecure: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.url, str):
            raise TypeError(f"the URL of a login must be a str, not {kind_of(self.url)}")
        check_secure(self.url, insecure=self.insecure)
        if "@" in urlsplit(self.url).netloc:
            raise ValueError(
                "the URL of a login must not contain a user name: pass user and password as fields"
            )
        check_refused(self.refused)
        self._secrets()  # raises an error for a mistake in them

    def __call__(self, context: Context) -> Grant | None:
        """Log in with `context.http`, a `requests.Session` or an `httpx.Client`."""
        with self._turn(context) as steps:
            return context.progress.keep(run(steps, context.http, context.timeout))

    async def acall(self, context: Context) -> Grant | None:
        """Log in with `context.http`, an `httpx.AsyncClient`."""
        with self._turn(context) as steps:
            return context.progress.keep(await run_async(steps, context.http, context.timeout))

    def _turn(self, context: Context) -> AbstractContextManager[Steps[Grant | None]]:
        """Return what guards this login while it runs, and gives its steps."""
        return nullcontext(self._steps(context))

    @abstractmethod
    def _steps(self, context: Context) -> Steps[Grant] | Steps[Grant | None]:
        """Yield one request after the other, and return the grant."""

    def _ask_refused(self, answer: Answer) -> None:
        if self.refused is not None and self.refused(answer):
            raise LoginRefused(said(answer))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {where(self.url)}>"


def _rebuilt(kind: type[Account], values: dict[str, Any]) -> Account:
    return kind(**values)


def basic(user: str, password: str) -> str:
    """Return the value of Authorization for an account, as HTTP Basic has it (RFC 7617 §2)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def called(value: Any) -> Any:
    """Return what a function returns, and anything else as it is."""
    return value() if callable(value) else value


def checked_text(source: str, value: object) -> str:
    """Return what a function has returned; an error names the type, never the value."""
    if isinstance(value, str):
        return value
    raise LoginUnavailable(f"{source} must return a str, not {kind_of(value)}")


def check_refused(refused: object) -> None:
    """Raise `TypeError` for anything but a plain function: a coroutine would always be true."""
    if refused is not None and (not callable(refused) or iscoroutinefunction(refused)):
        raise TypeError(
            "refused= must be a plain function that gets the Answer, such as "
            f'json_field("success", False), not {kind_of(refused)}'
        )


def check_text(name: str, value: object) -> None:
    """Raise `TypeError` for anything but a text or a function that returns one."""
    if not (isinstance(value, str) or callable(value)):
        raise TypeError(f"{name} must be a str or a function, not {kind_of(value)}")


def check_method(kind: str, method: object) -> None:
    """Raise `ValueError` for what is not an HTTP method (RFC 9110 §9.1)."""
    if not (isinstance(method, str) and is_token(method)):
        raise ValueError(f'{kind}: method= must be an HTTP method, such as "POST"')


def kind_of(value: object) -> str:
    """Name the type of a value, for a message that must not show it."""
    return type(value).__name__
