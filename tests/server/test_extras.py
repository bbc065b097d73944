"""Without its framework, each module of the server says what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import python


@pytest.mark.parametrize(
    ("module", "missing", "told"),
    [
        ("flask", "flask", "Flask: pip install 'relogin[flask]'"),
        ("django", "asgiref", "Django: pip install 'relogin[django]'"),
        ("drf", "django", "REST framework: pip install 'relogin[django]' djangorestframework"),
        ("drf", "rest_framework", "pip install 'relogin[django]' djangorestframework"),
        ("starlette", "starlette", "Starlette: pip install 'relogin[starlette]'"),
    ],
)
def test_where_the_framework_is_missing_the_import_says_what_to_install(
    module: str, missing: str, told: str
) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import relogin.server.{module}"
    last = python(program).stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: relogin.server.{module} needs ")
    assert last.endswith(told)


def test_a_file_of_the_user_that_hides_the_framework_is_named_by_the_error(tmp_path: Path) -> None:
    own = tmp_path / "flask.py"
    own.write_text("import flask\nfrom relogin.server.flask import SessionGate\n")
    done = subprocess.run(
        [sys.executable, own], capture_output=True, text=True, check=False, timeout=30
    )
    last = done.stderr.splitlines()[-1]
    assert str(own) in last
    assert "pip install" not in done.stderr
