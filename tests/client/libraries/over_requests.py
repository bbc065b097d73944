"""requests."""

from __future__ import annotations

import io
from typing import Any

import requests

from tests.client.libraries.face import Body, Face, answer_of, passed_as
from tests.client.libraries.shapes import (
    WHOLE,
    Again,
    LyingSeek,
    Unseekable,
    a_file,
    at_an_offset,
    produced,
)

data = passed_as("data")


class Requests(Face):
    library = "requests"
    failure = requests.RequestException
    module: Any = requests

    def make(self, auth: Any, **options: Any) -> Any:
        session = self.module.Session()
        session.trust_env = False
        session.mount("http://", self.module.adapters.HTTPAdapter(pool_maxsize=100))
        session.auth = auth
        vars(session).update(options)
        return session

    def send(self, client: Any, method: str, url: str, **options: Any) -> Any:
        raw = client.request(method, url, timeout=20, **options)
        return answer_of(raw, raw.status_code, raw.content)

    def close(self, client: Any) -> None:
        client.close()

    def bodies(self) -> dict[str, Body]:
        return {
            "nothing": Body(dict, repeats=True),
            "bytes": data(lambda: WHOLE),
            "str": data(WHOLE.decode),
            "fields": data(lambda: {"whole": WHOLE.decode()}),
            "JSON": Body(lambda: {"json": {"whole": WHOLE.decode()}}, repeats=True),
            "BytesIO": data(lambda: io.BytesIO(WHOLE)),
            "BytesIO at an offset": data(at_an_offset),
            "a file": data(a_file),
            "files": Body(lambda: {"files": {"f": io.BytesIO(WHOLE)}}, repeats=True),
            "an iterable": data(Again),
            "a generator": data(produced, repeats=False),
            "a progress bar around a generator": data(lambda: Again(produced()), repeats=False),
            "no position": data(lambda: Unseekable(WHOLE), repeats=False),
            "a lying seek": data(lambda: LyingSeek(WHOLE), repeats=False),
        }
