"""Each library that is installed here, one after the other."""

from collections.abc import Iterator

import pytest

from tests.client.libraries.face import ASYNC_FACES, FACES, Face, opened


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    with opened(request.param) as begun:
        yield begun


@pytest.fixture(params=ASYNC_FACES)
def async_face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Those whose clients are awaited."""
    with opened(request.param) as begun:
        yield begun
