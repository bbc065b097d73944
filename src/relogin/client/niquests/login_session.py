"""The session that a login gets as `context.http`: it takes the route of the refused request."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import niquests
from niquests import PreparedRequest
from niquests.exceptions import SSLError

from relogin.client.driver.login_settings import LoginSettings, Sent
from relogin.client.niquests.progress import show_progress
from relogin.errors import LoginUnavailable

__all__ = ["AsyncLoginSession", "LoginSession", "NotVerified"]


class NotVerified(LoginUnavailable, SSLError):
    """The login's server has no valid certificate, and ``verify=False`` was meant for another."""


class _Explaining(LoginSettings):
    @contextmanager
    def explaining(self, request: PreparedRequest) -> Generator[None]:
        try:
            yield
        except SSLError as error:
            why = self.why_not(error, request)
            if why is None:
                raise
            raise NotVerified(why) from error


class LoginSession(_Explaining, niquests.Session):
    """For a login that is called. It has no cookies, and its own connections."""

    def __init__(self, sent: Sent | None, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.take_over(sent)
        show_progress(self)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Any:
        """Send a request with the settings that hold for its server."""
        with self.explaining(request):
            return super().send(request, **self.settled(request, kwargs))


class AsyncLoginSession(_Explaining, niquests.AsyncSession):
    """The same for a login that is awaited."""

    def __init__(self, sent: Sent | None, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.take_over(sent)
        show_progress(self)

    async def send(  # type: ignore[override]
        self, request: PreparedRequest, **kwargs: Any
    ) -> Any:
        """Send a request with the settings that hold for its server."""
        with self.explaining(request):
            return await super().send(request, **self.settled(request, kwargs))
