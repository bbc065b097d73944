"""A device that gives out few sessions."""

from __future__ import annotations

import pytest

from tests.client.seats import Device
from tests.client.server import Server


@pytest.fixture
def device(server: Server) -> Device:
    return Device(server)
