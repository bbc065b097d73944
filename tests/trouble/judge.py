"""What must hold after an hour of trouble, read from the logs of both sides and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Judgement", "judge"]

# In seconds: three transmissions of a request, two waits for a renewal, and a machine that is busy.
_LONGEST = 60.0


@dataclass
class Judgement:
    """How much happened, and what was broken."""

    requests: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
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
            f"laws       {sum(self.broken.values())} times broken",
        ]
        return "\n".join(
            rows + [f"  {n} x {law} ({self.examples[law]})" for law, n in self.broken.items()]
        )


def judge(folder: Path, killed: set[str], calm_from: float, allowed_logins: int) -> Judgement:
    """Compare the logs: of the server, of the callers, and of the stranger.

    `killed` names the processes that were killed. Whatever began after `calm_from` must have been
    served. `allowed_logins` is how many logins the faults explain.
    """
    judgement = Judgement()
    applied = _server(folder, judgement)
    _callers(folder, judgement, killed, applied, calm_from)
    for request in _lines(folder / "stranger.jsonl"):
        if request["credentials"]:
            judgement.breaks("a credential reached another origin", request["path"])
    if judgement.served["login"] > allowed_logins:
        excess = f"{judgement.served['login']} for {allowed_logins}"
        judgement.breaks("more logins than the faults explain", excess)
    return judgement


def _server(folder: Path, judgement: Judgement) -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    for line in _lines(folder / "server.jsonl"):
        judgement.served[line["what"]] += 1
        if line["what"] == "applied":
            applied.setdefault(line["number"], []).append(line["digest"])
        elif line["what"] == "refresh token used twice":
            judgement.breaks("a refresh token was used twice")
    return applied


def _callers(
    folder: Path,
    judgement: Judgement,
    killed: set[str],
    applied: dict[str, list[str]],
    calm_from: float,
) -> None:
    for log in sorted(folder.glob("caller-*.jsonl")):
        begun: dict[str, dict[str, Any]] = {}
        for line in _lines(log):
            if "begins" in line:
                begun[line["begins"]] = line
            else:
                begin = begun.pop(line["ends"])
                _end(judgement, begin, line, applied)
                if begin["at"] > calm_from and not _is_served(begin, line):
                    judgement.breaks("a request was not served after all had recovered", str(line))
        judgement.requests += len(begun)
        if log.stem.removeprefix("caller-") not in killed:
            for number in begun:
                judgement.breaks("a request never ended", number)


def _end(
    judgement: Judgement, begin: dict[str, Any], end: dict[str, Any], applied: dict[str, list[str]]
) -> None:
    number, times = end["ends"], applied.get(end["ends"], [])
    judgement.requests += 1
    judgement.longest = max(judgement.longest, end["seconds"])
    judgement.ended[str(end.get("status") or end["error"])] += 1
    if end["seconds"] > _LONGEST:
        judgement.breaks(f"a request took longer than {_LONGEST:g} s", number)
    if len(times) > 1 and "status" in end:
        judgement.breaks("a request was applied twice and its caller not told", number)
    if end.get("status") != 200 or begin["path"] == "away":
        return
    if not times:
        judgement.breaks("a 200 that the server knows nothing of", number)
    elif times[-1] != begin["digest"] or end["echo"] != begin["digest"]:
        judgement.breaks("a 200 to another body than the one sent", number)


def _is_served(begin: dict[str, Any], end: dict[str, Any]) -> bool:
    # A body that can be read once only is sent once only: its session lives for the next one.
    return end.get("status") == 200 or end.get("outcome") == "renewed_not_replayed"


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    if log.exists():
        for line in log.read_text().splitlines():
            yield json.loads(line)
