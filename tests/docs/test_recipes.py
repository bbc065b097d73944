"""Each recipe of docs/how-to/ against its server: its own code carries on when the session dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import requests

from relogin import LoginRefused, LoginUnavailable
from tests.docs.pages import run_page
from tests.docs.recipe_oauth2 import OAuth2, SignIn
from tests.docs.recipe_site import PASSWORD, Site
from tests.docs.recipes import SITES, serving_recipe

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
OTHERS = ("ORDERS_REFRESH_TOKEN", "ORDERS_PASSWORD", "ORDERS_KEY", "USER_TOKEN", "BROWSER")
DYING = ("csrf", "drf-token", "gitlab", "synology")


class Cooked(NamedTuple):
    """What a page has made, and the server that it has talked to."""

    page: ModuleType
    site: Any
    urls: list[str]

    def statuses(self) -> set[int]:
        """Ask for all that needs a session."""
        session: requests.Session = self.page.session
        asked = (line.partition(" ") for line in self.site.lines)
        return {
            session.request(method, self.urls[-1] + path, json={}).status_code
            for method, _, path in asked
        }


@pytest.fixture
def cook(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cooked]:
    """Run the page that the test names."""
    name: str = request.param
    for variable in (*SITES[name].variables, *OTHERS):
        monkeypatch.setenv(variable, "")  # and have it taken back after the test
    with chdir(tmp_path), serving_recipe(name) as (site, origins):
        site.prepare()
        yield Cooked(run_page(HOW_TO / f"{name}.md", origins), site, list(origins.values()))


def page(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cook", names, indirect=True)


def test_every_recipe_is_tried_here() -> None:
    assert set(SITES) == {"openstack", "redfish", *DYING, "oauth2", "command-line", "secrets"}
    assert all((HOW_TO / f"{name}.md").exists() for name in SITES)


@page("openstack", *DYING)
def test_a_recipe_carries_on_when_the_session_dies(cook: Cooked) -> None:
    assert cook.statuses() == {200}
    before = cook.site.logins
    cook.site.kill()
    cook.site.change()
    assert cook.statuses() == {200}
    assert cook.site.logins == before + 1


@page("synology")
def test_a_dead_session_of_synology_is_found_in_its_200(cook: Cooked) -> None:
    cook.site.kill()
    answer = cook.page.session.get(cook.page.URL, params={"api": "SYNO.FileStation.List"})
    assert answer.json()["success"] is True


@page("csrf")
def test_a_rolling_csrf_token_is_followed_between_writes(cook: Cooked) -> None:
    for _ in range(5):
        assert cook.statuses() == {200}
    assert cook.site.logins == 1


@page("gitlab")
def test_a_gitlab_token_that_nobody_replaced_is_sent_once_more_and_no_login_loops(
    cook: Cooked,
) -> None:
    cook.site.kill()
    assert cook.statuses() == {401}
    cook.site.change()
    assert cook.statuses() == {200}


@page("openstack")
def test_an_openstack_token_is_renewed_ahead_of_its_end(cook: Cooked) -> None:
    (credential,) = cook.page.session.auth._cache._credentials[cook.urls[-1]].values()
    assert credential.grant.expires_in == pytest.approx(3600, abs=60)


@page("redfish")
def test_redfish_gives_back_every_seat(cook: Cooked) -> None:
    assert cook.site.logins == cook.site.logouts == 10
    assert cook.site.living == set()


@page("oauth2")
def test_oauth2_uses_no_refresh_token_twice(cook: Cooked) -> None:
    site = cook.site
    assert isinstance(site, OAuth2)
    for session in (cook.page.session, cook.page.job):
        site.kill()
        assert session.post(f"{cook.urls[-1]}/orders").status_code == 200
    again = run_page(HOW_TO / "oauth2.md", dict(zip(site.hosts, cook.urls, strict=True)))
    site.kill()
    assert again.session.get(f"{cook.urls[-1]}/orders").status_code == 200
    assert site.used_twice == 0


@page("oauth2")
def test_oauth2_signs_and_revokes(cook: Cooked) -> None:
    assert cook.site.signed == ["orders-job", "orders@example.com"]
    assert cook.site.logouts == 1


@page("oauth2")
def test_oauth2_proves_each_request_and_puts_the_nonce_into_the_proof(cook: Cooked) -> None:
    assert cook.site.proven == ["POST /token None", "GET /orders None", "GET /orders n0nce"]


@page("command-line")
def test_a_person_signs_in_once_and_again_only_if_the_refresh_token_is_refused(
    cook: Cooked,
) -> None:
    site = cook.site
    assert isinstance(site, SignIn)
    assert (site.asked, site.logouts) == (["device_code", "authorization_code"], 2)
    site.kill()
    assert cook.statuses() == {200}
    site.kill()
    site.refresh.clear()
    assert cook.statuses() == {200}
    assert site.asked[2:] == ["refresh_token", "refresh_token", "authorization_code"]


@page("secrets")
def test_a_new_password_is_used_without_a_restart(cook: Cooked) -> None:
    site: Site = cook.site
    auth = cook.page.session.auth
    for source in (cook.page.from_environment, cook.page.from_keyring, cook.page.from_file):
        assert source() == PASSWORD
    site.kill()
    site.password = "changed"
    with pytest.raises(LoginRefused):
        cook.statuses()
    site.change()
    auth.reset()
    assert cook.statuses() == {200}
    for source in (cook.page.from_environment, cook.page.from_keyring, cook.page.from_file):
        assert source() == site.password


@page("secrets")
def test_a_rotated_password_is_waited_for_and_the_old_one_sent_once(cook: Cooked) -> None:
    site: Site = cook.site
    rotated, orders = cook.page.rotated, f"{cook.urls[-1]}/orders"
    site.kill()
    site.password = "changed"
    for why in ("the password was refused", "the secret has not changed yet"):
        with pytest.raises(LoginUnavailable, match=why):
            rotated.get(orders)
        rotated.auth.reset()  # no pause
    site.change()
    assert rotated.get(orders).status_code == 200
