"""The site without npm: all pages are built but for what the playground runs on."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sphinx.errors import ExtensionError

EXTENSION = Path(__file__).parents[2] / "docs" / "site" / "playground.py"


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docs/site/playground.py, on a machine that has no npm."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("RELOGIN_NO_SKIP", raising=False)
    found = spec_from_file_location("playground", EXTENSION)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def app(tmp_path: Path) -> Any:
    builder = SimpleNamespace(format="html")
    return SimpleNamespace(builder=builder, outdir=tmp_path / "site", srcdir=tmp_path)


def test_the_site_is_built_without_npm_and_says_what_is_missing(
    extension: ModuleType, app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    extension.bundle(app, None)
    assert "apt install npm" in capsys.readouterr().err


def test_in_ci_a_site_without_its_playground_is_an_error(
    extension: ModuleType, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELOGIN_NO_SKIP", "1")
    with pytest.raises(ExtensionError, match="needs Pyodide"):
        extension.bundle(app, None)
