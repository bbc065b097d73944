"""What `import relogin` costs: none of its heavy dependencies is loaded before it is needed."""

import subprocess
import sys

import pytest


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    ran = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*{names})"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("heavy", ["pyparsing", "requests", "urllib3", "httpx", "anyio", "asyncio"])
def test_importing_relogin_does_not_load(heavy: str) -> None:
    assert heavy not in loaded_by("import relogin")


def test_reading_a_well_formed_field_does_not_load_pyparsing() -> None:
    assert "pyparsing" not in loaded_by("import relogin; relogin.parse('Basic realm=x')")


@pytest.mark.parametrize("framework", ["requests", "httpx", "flask", "django", "starlette"])
def test_the_wsgi_gate_does_not_load(framework: str) -> None:
    assert framework not in loaded_by("import relogin.server.wsgi")
