"""What must hold after an hour of trouble, read from the logs of both sides and nothing else."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.trouble.caller import BUDGET
from tests.trouble.explained import Strike, unexplained

__all__ = ["Judgement", "judge", "judge_left"]

# In seconds: three transmissions of a request, two waits for a renewal, and a machine that is busy.
_LONGEST = 40.0
# The main thread, what Python has open itself, and what a store keeps open for the next request.
_MOST_LEFT = {"threads": 1, "tasks": 0, "connections": 0, "files": 24}


@dataclass
class Judgement:
    """How much happened, and what was broken."""

    requests: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    logins: Counter[str] = field(default_factory=Counter)
    """How many were posted, and how many of those have no answer that the caller knows."""
    longest: float = 0.0
    broken: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def breaks(self, law: str, example: str = "") -> None:
        """Count a broken law, and keep its first case."""
        self.broken[law] += 1
        self.examples.setdefault(law, example)

    def __str__(self) -> str:
        rows = [
            f"requests   {self.requests}, the longest {self.longest:.1f} s",
            f"ended      {dict(self.ended.most_common())}",
            f"server     {dict(self.served)}",
            f"logins     {dict(self.logins)}",
            f"laws       {sum(self.broken.values())} times broken",
        ]
        return "\n".join(
            rows + [f"  {n} x {law} ({self.examples[law]})" for law, n in self.broken.items()]
        )


def judge(
    folder: Path, killed: set[str], calm_from: float, strikes: list[Strike], processes: int
) -> Judgement:
    """Compare the logs: of the servers, of the callers, and of the stranger.

    `killed` names the processes that were killed. Whatever began after `calm_from` must have been
    served, and each process must have sent something. `strikes` are the faults that were done.
    """
    judgement = Judgement()
    applied = _servers(folder, judgement)
    for log in sorted(folder.glob("caller-*.jsonl")):
        name = log.stem.removeprefix("caller-")
        _caller(_lines(log), judgement, name in killed and name, applied, calm_from)
    for request in _lines(folder / "stranger.jsonl"):
        if request["credentials"]:
            judgement.breaks("a credential reached another origin", request["path"])
    _explain(folder, judgement, strikes, processes)
    return judgement


def _explain(folder: Path, judgement: Judgement, strikes: list[Strike], processes: int) -> None:
    served: dict[str, list[dict[str, Any]]] = {}
    for line in _lines(folder / "server.jsonl"):
        served.setdefault(line["server"], []).append(line)
    callers = [
        line
        for log in folder.glob("caller-*.jsonl")
        for line in _lines(log)
        if "logs_in" in line or "logged_in" in line
    ]
    for server, lines in served.items():
        for session in unexplained(lines, callers, strikes, processes):
            judgement.breaks("a login that nothing explains", f"at {server}: {session}")


def judge_left(left: list[dict[str, Any]], judgement: Judgement) -> None:
    """Judge how the processes have ended, and what they had open then."""
    for each in left:
        if each["code"] is None:
            judgement.breaks("a process never ended", str(each))
        elif each["code"]:
            judgement.breaks("a process died that nobody had killed", str(each))
        if each["children"]:
            judgement.breaks("a child of a fork never ended", str(each))
        for what, most in _MOST_LEFT.items():
            if each.get(what, 0) > most:
                judgement.breaks(f"{what} were left", str(each))


def _servers(folder: Path, judgement: Judgement) -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    for line in _lines(folder / "server.jsonl"):
        judgement.served[line["what"]] += 1
        if line["what"] == "applied":
            applied.setdefault(line["number"], []).append(line["digest"])
        elif line["what"] == "refresh token used twice":
            judgement.breaks("a refresh token was used twice", line.get("token", ""))
        elif line["what"] == "credential of another server":
            judgement.breaks("a credential reached a server that it is not for", line["number"])
    return applied


def _caller(
    lines: Iterator[dict[str, Any]],
    judgement: Judgement,
    killed: str | Literal[False],
    applied: dict[str, list[str]],
    calm_from: float,
) -> None:
    begun: dict[str, dict[str, Any]] = {}
    logins, library, latest = _Logins(judgement), "", calm_from
    for line in lines:
        if "ready" in line:
            library, latest = line["ready"], line["at"]
        elif "begins" in line:
            begun[line["begins"]], latest = line, line["at"]
        elif "ends" in line:
            begin = begun.pop(line["ends"])
            _end(judgement, library, begin, line, applied)
            if begin["at"] > calm_from and not _is_served(begin, line):
                judgement.breaks("a request was not served after all had recovered", str(line))
        else:
            logins.hear(line)
    logins.end()
    judgement.requests += len(begun)
    for number in begun:
        if _process(number) != killed:  # but its children were not
            judgement.breaks("a request never ended", number)
    if not killed and latest < calm_from:
        judgement.breaks("a process sent nothing after all had recovered", str(line))


def _process(number: str) -> str:
    """Return which process has sent the request of this number, or has made this login."""
    return ".".join(part for part in number.split(".") if part[0] in "pf")


class _Logins:
    """What one process says of its logins: each may post more than once, and be answered once."""

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self._began: dict[tuple[str, str, str], deque[float]] = {}
        self._posts = self._answers = 0

    def hear(self, line: dict[str, Any]) -> None:
        if "logs_in" in line:
            # A child of a fork has a budget of its own.
            space = _process(line["logs_in"]), line["server"], line["realm"]
            self._spend(self._began.setdefault(space, deque()), line)
        self._posts += "posts" in line
        self._answers += "logged_in" in line

    def _spend(self, began: deque[float], line: dict[str, Any]) -> None:
        most, window = BUDGET
        began.append(line["at"])
        while began[0] < line["at"] - window:
            began.popleft()
        if len(began) > most:
            self._judgement.breaks(f"more than {most} logins in {window:g} s", line["logs_in"])

    def end(self) -> None:
        self._judgement.logins["posted"] += self._posts
        self._judgement.logins["lost"] += self._posts - self._answers


def _end(
    judgement: Judgement,
    library: str,
    begin: dict[str, Any],
    end: dict[str, Any],
    applied: dict[str, list[str]],
) -> None:
    number, times = end["ends"], applied.get(end["ends"], [])
    judgement.requests += 1
    judgement.longest = max(judgement.longest, end["seconds"])
    judgement.ended[str(end.get("status") or end["error"])] += 1
    if "unexpected" in end:
        judgement.breaks("an error of no kind that its library raises", str(end))
    if end["seconds"] > _LONGEST:
        judgement.breaks(f"a request took longer than {_LONGEST:g} s", number)
    # aiohttp itself sends an idempotent request again whose connection broke.
    repeats = library == "aiohttp" and begin["method"] in {"GET", "PUT"}
    if len(times) > 1 + repeats and "status" in end:
        judgement.breaks("a request was applied twice and its caller not told", number)
    if end.get("status") != 200 or begin["path"] == "away":
        return
    if not times:
        judgement.breaks("a 200 that the server knows nothing of", number)
    elif library == "requests" and not end["echo"]:
        # http.client takes an answer that ends within its header for one that has no body.
        judgement.ended["200, cut in its header"] += 1
    elif end["echo"] != begin["digest"]:
        judgement.breaks("a 200 to another body than the one sent", number)
    if times and set(times) != {begin["digest"]}:
        judgement.breaks("a body was applied that is another one than was sent", number)


def _is_served(begin: dict[str, Any], end: dict[str, Any]) -> bool:
    # A body that can be read once only is sent once only: its session lives for the next one.
    return end.get("status") == 200 or end.get("outcome") == "renewed_not_replayed"


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    if log.exists():
        for line in log.read_text().splitlines():
            yield json.loads(line)
