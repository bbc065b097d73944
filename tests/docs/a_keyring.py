"""A keyring for the examples: in memory, and the same for whoever asks."""

from __future__ import annotations

from typing import ClassVar

from keyring.backend import KeyringBackend

__all__ = ["Keyring"]


class Keyring(KeyringBackend):
    """Keeps passwords for as long as the process lives."""

    priority: ClassVar[float] = 1
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password
