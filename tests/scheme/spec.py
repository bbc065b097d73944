"""SPEC.md as its tests read it: fences, requirements, tables; and which test proves what."""

import ast
import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SPEC.md").read_text("utf-8")

KEY_WORDS = re.compile(r"\b(?:MUST|SHOULD|MAY|SHALL|REQUIRED|RECOMMENDED|OPTIONAL)\b")
_REQUIREMENT = re.compile(
    r"^- \*\*\[([SCIDR]-\d+)\]\*\* (.*?)(?=\n\n|\n- |\Z)", re.MULTILINE | re.DOTALL
)

_IS_ID = re.compile(r"[SCIDR]-\d+").fullmatch

# Requirements that no test here can prove, because they bind somebody else's software or hands.
BEYOND_US = {
    "S-10": "the application's login sets the cookie, and so its lifetime",
    "S-11": "the application's login sets the cookie, and so its attributes",
    "S-20": "only the application knows what it asked of another server, and what it passes on",
    "S-31": "whether there is TLS, and what stands in URIs, is the operator's affair",
    "S-32": "the application's login makes the token",
    "I-1": "binds gateways and proxies",
    "I-2": "binds gateways and proxies",
    "I-3": "binds gateways and proxies",
}


def fences(kind: str) -> list[str]:
    """The contents of the fences of this kind, in their order."""
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def lines(kind: str) -> list[str]:
    """The lines of all fences of this kind: one field value each."""
    return [line for fence in fences(kind) for line in fence.splitlines()]


def requirements() -> dict[str, str]:
    """The numbered paragraphs, by id."""
    return {name: " ".join(text.split()) for name, text in _REQUIREMENT.findall(TEXT)}


def rest() -> str:
    """Everything but the numbered paragraphs."""
    return _REQUIREMENT.sub("", TEXT)


def table(heading: str) -> list[list[str]]:
    """The rows of the first table after a heading, as cells without their back-ticks."""
    after = TEXT.partition(f"\n{heading}\n")[2]
    rows = re.findall(r"^\|(.*)\|$", after.partition("|\n\n")[0] + "|", re.MULTILINE)
    return [[cell.strip(" `") for cell in row.split("|")] for row in rows[2:]]


@cache
def proofs() -> dict[str, list[str]]:
    """Where a test says which requirement it proves, by its id: `mark.requirement("S-1")`.

    Every row of the vectors is a test too.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.requirement"):
                for argument in node.args:
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    found[ast.literal_eval(argument)].append(place)
    for path in sorted((ROOT / "tests/vectors").glob("*.json")):
        for row in json.loads(path.read_text("utf-8")) if path.stem != "schema" else []:
            for name in filter(_IS_ID, row["proves"]):
                found[name].append(f"{path.relative_to(ROOT)}: {row['name']}")
    return dict(found)
