"""What `import relogin` costs: none of its heavy dependencies is loaded before it is needed."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import pytest

import relogin
from relogin import lazy
from relogin.client import logins
from tests.programs import python


def loaded_by(
    statement: str, names: str = "{name.partition('.')[0] for name in sys.modules}"
) -> set[str]:
    """The modules, top-level ones by default, that a fresh interpreter holds after a statement."""
    # Coverage would load modules of its own there.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    ran = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*{names})"],
        env=alone,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("heavy", ["pyparsing", "requests", "urllib3", "httpx", "anyio", "asyncio"])
def test_importing_relogin_does_not_load(heavy: str) -> None:
    assert heavy not in loaded_by("import relogin")


def test_importing_relogin_does_not_load_the_views_of_other_schemes() -> None:
    assert "relogin.schemes" not in loaded_by("import relogin", names="{*sys.modules}")


def test_every_public_name_is_there_when_it_is_asked_for() -> None:
    assert all(hasattr(relogin, name) for name in relogin.__all__)
    with pytest.raises(AttributeError, match="no attribute 'worst'"):
        relogin.worst  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        ("from relogin import SessionAuth", "from relogin.client.requests import SessionAuth"),
        ("from relogin.client import SessionAuth", "from relogin.client.requests import"),
        ("from relogin import SessionGate", "from relogin.server.flask import SessionGate"),
        ("from relogin.server import SessionGate", "from relogin.server.flask import SessionGate"),
        ("from relogin.client.stores import SQLiteStore", "relogin.client.stores.sqlite"),
        ("from relogin.client.stores import RedisStore", "relogin.client.stores.redis"),
        ("from relogin import JSONLogin", "JSONLogin is in relogin.client.logins"),
        ("from relogin.client import Logout", "Logout is in relogin.client.logins"),
        ("from relogin import Context", "Context is in relogin.client.terms.grant"),
        ("from relogin.server import StepUp", "StepUp is in relogin.server.gate"),
    ],
)
def test_a_name_that_is_looked_for_on_the_wrong_floor_says_where_it_is(
    guess: str, told: str
) -> None:
    with pytest.raises(ImportError, match=told.replace(".", "[.]")):
        exec(guess)


@pytest.mark.parametrize("name", sorted(lazy._ELSEWHERE))
def test_a_name_is_where_the_error_says(name: str) -> None:
    place = lazy._ELSEWHERE[name].split(" from ")[-1].split()[0]
    assert hasattr(import_module(place), name)


@pytest.mark.parametrize("module", ["relogin", "relogin.client", "relogin.server"])
@pytest.mark.parametrize("name", ["SessionKeeper", "SessionAuth", "SessionGate"])
def test_a_name_that_is_not_there_is_no_attribute(module: str, name: str) -> None:
    assert not hasattr(import_module(module), name)
    assert getattr(import_module(module), name, None) is None


def test_an_attribute_of_the_wrong_floor_says_where_it_is() -> None:
    with pytest.raises(AttributeError, match="SessionAuth is in the module of your HTTP library"):
        relogin.SessionAuth  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize("name", relogin.__all__)
def test_tools_can_read_the_types_of(name: str) -> None:
    assert isinstance(get_type_hints(getattr(relogin, name)), dict)


@pytest.mark.parametrize("module", ["wsgi", "asgi", "flask", "starlette"])
def test_tools_can_read_the_types_of_a_gate(module: str) -> None:
    gate = import_module(f"relogin.server.{module}").SessionGate
    assert get_type_hints(gate.__init__)["return"] is type(None)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert relogin.__version__ == version("relogin")


def test_a_version_that_nobody_asks_for_costs_nothing() -> None:
    assert "importlib.metadata" not in loaded_by("import relogin", names="{*sys.modules}")


def test_type_checkers_refuse_a_login_that_there_is_none_of() -> None:
    with pytest.raises(AttributeError, match="no attribute 'XMLLogin'"):
        logins.XMLLogin  # type: ignore[attr-defined] # noqa: B018


def test_reading_a_well_formed_field_does_not_load_pyparsing() -> None:
    assert "pyparsing" not in loaded_by("import relogin; relogin.parse('Basic realm=x')")


@pytest.mark.parametrize("framework", ["requests", "httpx", "flask", "django", "starlette"])
def test_the_wsgi_gate_does_not_load(framework: str) -> None:
    assert framework not in loaded_by("import relogin.server.wsgi")


@pytest.mark.parametrize("heavy", ["anyio", "asyncio"])
def test_a_client_without_tasks_does_not_load(heavy: str) -> None:
    assert heavy not in loaded_by("import relogin.client.httpx")


@pytest.mark.parametrize("library", ["requests", "httpx"])
@pytest.mark.parametrize(
    "late",
    [
        *("wire.scan", "session", "client.events", "client.renewal.flow", "client.renewal.ahead"),
        *("client.carry", "client.stores", "client.terms.sources", "client.driver.lifetime"),
    ],
)
def test_a_client_does_not_load_what_few_requests_or_few_clients_need(
    library: str, late: str
) -> None:
    loaded = loaded_by(f"import relogin.client.{library}", names="{*sys.modules}")
    assert f"relogin.{late}" not in loaded


@pytest.mark.parametrize("late", ["urllib.parse", "ipaddress", "json"])
def test_the_asgi_gate_does_not_load_what_few_gates_need(late: str) -> None:
    assert late not in loaded_by("import relogin.server.asgi", names="{*sys.modules}")


@pytest.mark.parametrize(
    "package", ["relogin", "relogin.client.logins", "relogin.client.renewal", "relogin.wire"]
)
def test_a_package_that_imports_its_names_late_has_no_others(package: str) -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(import_module(package), "nonsense")  # noqa: B009


@pytest.mark.parametrize("package", ["relogin", "relogin.client.logins"])
def test_what_a_package_hands_out_is_listed_before_it_is_imported(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", ["client.outcome", "errors.LoginRefused", "session"])
def test_the_packages_of_relogin_need_no_import_of_their_own(package: str) -> None:
    assert "relogin" in loaded_by(f"import relogin; relogin.{package}")


# A child that waits for a lock of its parent's uses no time of the processor. One on a busy machine
# does, however slow it is.
ENDS_IF_STUCK = """
import os, signal, time

used = 0.0

def end_if_stuck(*_):
    global used
    before, used = used, time.process_time()
    if used - before < 0.01:
        os._exit(1)
    signal.alarm(10)

def watch():
    signal.signal(signal.SIGALRM, end_if_stuck)
    signal.alarm(10)
"""

LATE = """
import sys, threading
sys.path.insert(0, {folder!r})
import house
started = threading.Thread(target=lambda: house.late)
started.start()
house.begun.wait(10)
threading.Timer(0.2, house.may_end.set).start()
child = os.fork()
if child == 0:
    watch()
    house.late
    os._exit(0)
started.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_while_a_module_is_imported_late_can_import_it(tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    house.joinpath("__init__.py").write_text(
        "import threading\n"
        "from relogin.lazy import lazy_modules\n"
        "begun, may_end = threading.Event(), threading.Event()\n"
        "__getattr__ = lazy_modules(__name__, 'late')\n"
    )
    house.joinpath("late.py").write_text(
        "from house import begun, may_end\nbegun.set()\nmay_end.wait(10)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", ENDS_IF_STUCK + LATE.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.strip() == "0"


PATTERNS = """
import pyparsing
from relogin.wire.malformed import element

found = [vars(one) for one in element.visit_all() if isinstance(one, pyparsing.Regex)]
print(len(found) > 0, all("re_match" in one for one in found))
"""


def test_the_patterns_of_the_recovery_are_compiled_during_its_import() -> None:
    """A fork waits for an import, but for no lock of Python 3.11's `cached_property`."""
    assert python(PATTERNS).stdout.split() == ["True", "True"]


FIRST_401 = """
import sys, threading
import requests
from relogin.client.requests import SessionAuth

begun, may_end = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {late!r}:
            begun.set()
            may_end.wait(10)

class Server(requests.adapters.HTTPAdapter):
    def send(self, request, **sending):
        response = requests.Response()
        response.status_code = 200 if "Authorization" in request.headers else 401
        response.headers["WWW-Authenticate"] = {challenge!r}
        response.request, response.url, response.connection = request, request.url, self
        response._content = b""
        return response

def fetch():
    session = requests.Session()
    session.mount("https://", Server())
    session.auth = SessionAuth(lambda _: "tea", "https://api.example.com")
    assert session.get("https://api.example.com/").status_code == 200

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=fetch)
thread.start()
assert begun.wait(10)
threading.Timer(0.2, may_end.set).start()
child = os.fork()
if child == 0:
    watch()
    fetch()
    os._exit(0)
thread.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    ("late", "challenge"),
    [
        ("client.renewal.flow", "Session"),
        ("client.driver.login_call", "Session"),
        ("wire.diagnose", 'Session realm="a'),
        ("wire.recover", 'Session realm="a'),
    ],
)
def test_a_child_forked_during_the_first_401_can_renew_its_session(
    late: str, challenge: str
) -> None:
    program = ENDS_IF_STUCK + FIRST_401.format(late=f"relogin.{late}", challenge=challenge)
    assert python(program).stdout.strip() == "0"
