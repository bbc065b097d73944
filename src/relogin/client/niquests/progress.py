"""What a login sends over a session of niquests that was made for it."""

from __future__ import annotations

from typing import Any

from niquests import PreparedRequest, Response, Session

from relogin.client.terms.progress import progress_here

__all__ = ["show_progress"]


def show_progress(http: Session) -> None:
    """Let the login that runs here see what this session sends, if anybody asks for that."""
    progress = progress_here()
    if progress is None:
        return

    def sends(prepared: PreparedRequest, **_: Any) -> None:
        progress.sends(prepared.method or "")

    def answered(response: Response, **_: Any) -> None:
        request: Any = response.request
        progress.answered(request.method, response.status_code or 0)

    hooks: Any = http.hooks
    hooks["pre_send"].append(sends)  # called once there is a connection
    hooks["response"].append(answered)
