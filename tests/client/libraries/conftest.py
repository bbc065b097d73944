"""Each library that is installed here, one after the other."""

from collections.abc import Iterator

import pytest

from tests.client.libraries.face import FACES, Face, opened


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    with opened(request.param) as begun:
        yield begun
