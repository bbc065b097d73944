"""Read the examples out of a Markdown page and run them, as a reader would.

- ``python``: run in the order of the page, one namespace for the page;
- ``text`` directly after it: what it printed;
- ``console``: each line after ``$`` is given to the shell, the lines below it are what it prints.

Other languages (``sh``, ``http``, ``toml``, ...) are shown and not run. `https://api.example.com`
is a server of ours (tests/docs/api.py), and the recipes have theirs (tests/docs/recipes.py). A
page runs in a process of its own, since frameworks configure themselves once per process:

    python -W error -m tests.docs.pages README.md
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.docs.api import serve
from tests.docs.recipes import ALIKE, SITES, serving_recipe

os.environ.setdefault("PYTHON_KEYRING_BACKEND", "tests.docs.a_keyring.Keyring")
EXAMPLE_ORIGIN = "https://api.example.com"

_FENCE = re.compile(
    r"^(?P<mark>```+)(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=mark)[ ]*$\n*",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Fence:
    language: str
    text: str
    line: int
    """The page's line on which the text begins."""
    follows: bool
    """Whether only space is between this fence and the one before it."""


def fences(page: str) -> Iterator[Fence]:
    end = -1
    for found in _FENCE.finditer(page):
        line = page.count("\n", 0, found.start("text")) + 1
        yield Fence(found["language"], found["text"], line, found.start() == end)
        end = found.end()


def run_page(path: Path, origins: Mapping[str, str]) -> ModuleType:
    """Run all examples of a page; AssertionError says which one prints what else.

    `origins` are where the origins of the page are really. Returns what the examples made.
    """
    # Examples live in a module of their own: dataclasses and pickle look there for names.
    module = ModuleType("example")
    sys.modules["example"] = module
    printed = ""
    page = path.read_text(encoding="utf-8")
    for fence in fences(page):
        text = fence.text
        for example, real in origins.items():
            text = text.replace(example, real)
        if fence.language == "python":
            printed = _run_python(path, fence.line, text, module)
        elif fence.language == "text" and fence.follows:
            _expect(path, fence.line, text, printed)
        elif fence.language == "console":
            _run_console(path, fence.line, text)
    return module


def _run_python(path: Path, line: int, text: str, module: ModuleType) -> str:
    out = io.StringIO()
    code = compile("\n" * (line - 1) + text, str(path), "exec")
    with redirect_stdout(out):
        exec(code, vars(module))
    return out.getvalue()


def _run_console(path: Path, line: int, text: str) -> None:
    for command, expected in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        scripts = sysconfig.get_path("scripts")
        ran = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
            timeout=30,
            check=False,
        )
        _expect(path, line, expected, ran.stdout.decode())


def _expect(path: Path, line: int, expected: str, printed: str) -> None:
    assert _trimmed(printed) == _trimmed(expected), (
        f"{path}:{line} says\n\n{expected}\nbut what is printed is\n\n{printed}"
    )


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")]


if __name__ == "__main__":
    page_path = Path(sys.argv[1]).resolve()
    with ExitStack() as opened:
        opened.enter_context(chdir(opened.enter_context(tempfile.TemporaryDirectory())))
        if page_path.stem in {*SITES, *ALIKE}:
            site, found = opened.enter_context(serving_recipe(page_path.stem))
            site.prepare()
        else:
            found = {EXAMPLE_ORIGIN: opened.enter_context(serve())}
        run_page(page_path, found)
