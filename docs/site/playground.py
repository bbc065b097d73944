"""A Sphinx extension: puts what the playground runs on into the built site.

That is Pyodide (CPython for the browser, from the npm registry), the installed relogin and the
pyparsing it needs. So the page asks no other host for anything, and works offline once loaded.
Without npm the rest of the site is built all the same; in CI (RELOGIN_NO_SKIP=1) that is an error.
"""  # noqa: INP001 - found by docs/conf.py, in no package

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pyparsing
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import relogin

PAGE = "docs/playground"
HERE = Path(__file__).parent
PYODIDE = (
    "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json",
)  # fmt: skip


def add_script(app: Sphinx, page: str, *_: object) -> None:
    """Load the playground's script and style on its own page only."""
    if page == PAGE:
        app.add_js_file("playground/playground.js", type="module")
        app.add_css_file("playground/playground.css")


def bundle(app: Sphinx, failure: Exception | None) -> None:
    """Copy Pyodide and our code beside the page's script."""
    if failure is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "playground")
    try:
        installed = _installed(Path(app.srcdir, "build", "npm"))
    except ExtensionError as error:
        if os.environ.get("RELOGIN_NO_SKIP") == "1":
            raise
        sys.stderr.write(f"{error.message}. The other pages do not need it.\n")
        return
    for name in PYODIDE:
        shutil.copy(installed / name, target / name)
    with zipfile.ZipFile(target / "code.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (relogin, pyparsing):
            folder = Path(package.__path__[0])
            for file in sorted(folder.rglob("*.py")):
                archive.write(file, file.relative_to(folder.parent))


def _installed(folder: Path) -> Path:
    """Return the folder of the Pyodide that the lock file names, installed there if it is not."""
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = lock["packages"]["node_modules/pyodide"]["version"]
    found = folder / "node_modules" / "pyodide"
    described = found / "package.json"
    if not described.exists() or json.loads(described.read_text())["version"] != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        _run_npm(folder)
    return found


def _run_npm(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - the command is ours
    except FileNotFoundError as error:
        missing = "the playground needs Pyodide from npm: install npm (on Debian: apt install npm)"
        raise ExtensionError(missing) from error
    except subprocess.CalledProcessError as error:
        raise ExtensionError("npm could not install Pyodide for the playground") from error


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the playground to a built site."""
    app.connect("html-page-context", add_script)
    app.connect("build-finished", bundle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
