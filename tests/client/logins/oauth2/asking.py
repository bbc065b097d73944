"""OAuth 2.0 logins, asked over requests, and token endpoints that say what a test gives them."""

import json
from dataclasses import replace
from typing import Any

import requests

from relogin.client.logins import OAuth2Login
from tests.client.log_in import answers, context
from tests.client.server import Answer, Server
from tests.client.token_server import JSON


def ask(login: OAuth2Login, **facts: Any) -> Any:
    with requests.Session() as http:
        return login(replace(context(http), **facts))


def says(server: Server, document: object, status: int = 200) -> str:
    return answers(server, Answer(status, JSON, json.dumps(document).encode()))
