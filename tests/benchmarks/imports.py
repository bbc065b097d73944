"""What importing costs: `python -m tests.benchmarks.imports`.

Each import runs in processes of its own, in turn with `import requests`. The time is the
processor's, the shortest of the rounds. Where a module works with a library, that library is
imported first and does not count.

What is only moved to a later moment is no gain: the last lines show what passes from the import to
the answer to the first request, which logs in.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from tests.benchmarks.rows import Row, shown

__all__ = ["rows"]

GOALS = {
    "relogin": ("", 0.20),
    "relogin.server.asgi": ("", 0.35),
    "relogin.client.requests": ("requests", 0.25),
    "relogin.client.httpx": ("httpx", 0.30),
}


# A client of each library whose server is in memory, and wants a token.
CLIENTS = {
    "requests": """
class Memory(requests.adapters.BaseAdapter):
    def send(self, request, **_):
        answer = requests.Response()
        answer.status_code = 200 if "Authorization" in request.headers else 401
        answer.headers["WWW-Authenticate"] = "Bearer"
        answer.request, answer.url, answer.connection = request, request.url, self
        answer._content = b""
        return answer
client = requests.Session()
client.mount("https://", Memory())
""",
    "httpx": """
def answer(request):
    status = 200 if "Authorization" in request.headers else 401
    return httpx.Response(status, headers={"WWW-Authenticate": "Bearer"})
client = httpx.Client(transport=httpx.MockTransport(answer))
""",
}
LOGGED_IN = """
client.auth = SessionAuth(lambda context: "token", "https://api.example.com")
assert client.get("https://api.example.com").status_code == 200
"""


def taken(module: str, before: str = "") -> float:
    """Import a module in a new process; return the processor's time in ms."""
    return _timed(f"import {module}", f"import {before}" if before else "")


def until_logged_in(library: str) -> float:
    """Import a client in a new process, and log in with it; return the processor's time in ms."""
    program = f"from relogin.client.{library} import SessionAuth{LOGGED_IN}"
    return _timed(program, f"import {library}{CLIENTS[library]}")


def _timed(statements: str, before: str) -> float:
    program = f"""
import time
{before}
began = time.process_time()
{statements}
print((time.process_time() - began) * 1000)
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    )
    return float(done.stdout)


def rows(rounds: int) -> list[Row]:
    """Measure all imports in turn."""
    shortest = dict.fromkeys(("requests", *GOALS), float("inf"))
    for _ in range(rounds):
        for module in shortest:
            before, _ = GOALS.get(module, ("", 0.0))
            shortest[module] = min(shortest[module], taken(module, before))
    whole = shortest["requests"]
    return [
        shown(
            Row(
                f"import {module}" + (f", after {before}" if before else ""),
                shortest[module] / whole,
                "`import requests`",
                goal,
                f"{shortest[module]:.1f} of {whole:.1f} ms",
            )
        )
        for module, (before, goal) in GOALS.items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    rows(rounds)
    for library in CLIENTS:
        shortest = min(until_logged_in(library) for _ in range(rounds))
        print(f"import relogin.client.{library} and the first login: {shortest:.1f} ms")
