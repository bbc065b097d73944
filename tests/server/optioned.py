"""A framework served with options, and a token in each place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

Ask: TypeAlias = Callable[..., Answer]
each_framework = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)


@contextmanager
def served(framework: Framework, **options: Any) -> Iterator[Ask]:
    serving = serving_asgi if framework.is_asgi else serving_wsgi
    with serving(framework.build(**options)) as port:
        yield lambda path, *fields, **more: ask(port, path, *fields, **more)


def by_cookie(token: str) -> tuple[str, str]:
    return "Cookie", f"sid={token}"


def by_authorization(token: str, scheme: str = "Session") -> tuple[str, str]:
    return "Authorization", f'Session token="{token}"' if scheme == "Session" else f"Bearer {token}"
