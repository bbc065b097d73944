"""What a login over requests or niquests takes over from the refused request, and for where."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.request import getproxies
from weakref import WeakSet

from relogin.client.terms.origins import sent_to

__all__ = ["LoginSettings", "Sent", "settings_for_check"]


class Sent(NamedTuple):
    """Where a request went, and the options that it was sent with."""

    url: str
    options: Mapping[str, Any]


class LoginSettings:
    """A session of requests or niquests for a login.

    Your proxies, CA files and client certificates apply to the whole login. ``verify=False`` gives
    up a protection, so it applies only at the origin of the request that you passed it with: other
    servers get a password only if their certificate is valid. The environment is consulted for each
    URL, as for your requests (``NO_PROXY``). Before the first response, nothing else is known.

    A login never uses netrc, so `trust_env` is true only while the settings are merged.
    """

    trust_env: bool
    verify: Any
    cert: Any
    proxies: Any
    _unverified = ""
    _trusts_env = True

    def take_over(self, sent: Sent | None) -> None:
        """Begin with the settings of a request, if there is one."""
        self.trust_env = False
        self._named_verify: WeakSet[object] = WeakSet()
        if sent is None:
            return
        url, options = sent
        self.cert, self.verify = options.get("cert"), options.get("verify", True)
        if not self.verify:
            self.verify, self._unverified = None, sent_to(url)
        proxies = dict(options.get("proxies") or {})
        usual = self._looking("merge_environment_settings", url, {}, None, True, None)
        # A request that differs from what is usual here has a session with `trust_env=False`.
        self._trusts_env = usual["proxies"].keys() <= proxies.keys() and (
            self.verify is not True or usual["verify"] is True
        )
        self.proxies = self._named(proxies)

    def settled(self, request: Any, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options to send this one request with, which may follow a redirect."""
        url = request.url or ""
        if "proxies" not in options:  # it did not come through `request`, which merges them
            options = self.merge_environment_settings(url, {}, None, None, None) | options
        if options.get("verify") is None:
            return {**options, "verify": self._verify_at(url)}
        self._named_verify.add(request)
        return options

    def _verify_at(self, url: str) -> Any:
        if sent_to(url) == self._unverified:
            return False
        return self._looking("merge_environment_settings", url, {}, None, True, None)["verify"]

    def why_not(self, error: Exception, request: Any) -> str | None:
        """Explain an invalid certificate that ``verify=False`` did not accept."""
        unverified = self._unverified and self._unverified != sent_to(request.url)
        invalid = _invalid_certificate(error)
        if not unverified or invalid is None:
            return None
        return (
            f"{invalid}. Your request's verify=False applies only to {self._unverified}: pass "
            "SessionAuth(…, http=session), with session.verify set for the login's server"
        )

    # In place of the methods of the library's session

    def merge_environment_settings(
        self, url: str, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return the options of a request: its own, those taken over, and the environment's.

        `verify` is `None` if nobody named it: `settled` decides, for each redirect anew.
        """
        verify = self.verify if verify is None else verify
        proxies = {**self.proxies, **(proxies or {})}
        merged = self._looking("merge_environment_settings", url, proxies, stream, verify, cert)
        return merged if verify is not None else {**merged, "verify": None}

    def rebuild_proxies(self, prepared_request: Any, proxies: Any) -> Any:
        """Return the proxies of a request that follows a redirect, perhaps to a NO_PROXY host."""
        return self._looking("rebuild_proxies", prepared_request, self._named(proxies or {}))

    def resolve_redirects(self, *args: Any, **options: Any) -> Any:
        """Follow redirects; a `verify` that was found for the first server says nothing here."""
        _, request = args
        if request not in self._named_verify:
            options["verify"] = None
        inherited: Any = super()
        return inherited.resolve_redirects(*args, **options)

    def _named(self, proxies: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out the proxies of the environment, which may say otherwise for another URL."""
        of_environment = getproxies().values() if self._trusts_env else ()
        return {name: proxy for name, proxy in proxies.items() if proxy not in of_environment}

    def _looking(self, name: str, *args: Any) -> Any:
        """Call a method of the library with a look into the environment."""
        self.trust_env = self._trusts_env
        try:
            return getattr(super(), name)(*args)
        finally:
            self.trust_env = False


def settings_for_check(http: Any, command: Any) -> dict[str, Any]:
    """Return the options to ask with, over a login's client, whether a session lives.

    `verify=False` of that client is meant for the login's server, not for the session's.
    """
    if isinstance(http, LoginSettings):
        return http.settled(command, {})
    settings: dict[str, Any] = http.merge_environment_settings(command.url, {}, None, None, None)
    return {**settings, "verify": settings["verify"] or True}


def _invalid_certificate(error: BaseException | None) -> str | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return None if error is None else f"certificate verify failed: {error.verify_message}"
