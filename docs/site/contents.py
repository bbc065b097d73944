"""A Sphinx extension: the list of pages at the side, from the folders and not written by hand.

Each folder's `index.md` introduces its pages in prose; a page that is added there appears at the
side as well. A folder with many pages has groups, whose own pages show the list. So the Markdown
holds nothing that only Sphinx understands.
"""  # noqa: INP001 - found by docs/conf.py, in no package

from pathlib import Path

from sphinx.application import Sphinx

SECTIONS = {
    "docs/index": [
        "tutorials/index",
        "playground",
        "how-to/index",
        "reference/index",
        "explanation/index",
    ],
    "docs/tutorials/index": ["client", "flask", "challenge"],
    "docs/how-to/index": ["my-server", "in-a-client", "recipes", "move", "on-a-server"],
    "docs/how-to/in-a-client": [
        "logins", "login-api", "login-form", "one-time-codes", "login-fails", "digest",
        "registries", "token-elsewhere", "own-scheme", "log-out",
        "signals", "stores", "own-store", "several-users", "libraries", "sdks", "grpc", "testing",
        "metrics", "troubleshooting",
    ],
    "docs/how-to/recipes": [
        "login-frameworks", "known-servers", "oauth2", "command-line", "secrets", "csrf",
        "drf-token", "openstack", "redfish", "gitlab", "synology",
    ],
    "docs/how-to/move": ["migrate-*"],
    "docs/how-to/on-a-server": [
        "flask", "django", "starlette", "other-frameworks", "browser", "mcp", "forward-auth",
    ],
    "docs/reference/index": [
        "client", "servers", "server", "server-responses", "server-streams", "command", "errors",
        "diagnose", "api/index",
        "grammar/README", "/SPEC", "/grammar/README", "/tests/vectors/README",
    ],
    "docs/reference/api/index": [
        "relogin", "schemes", "client", "logins", "signals", "stores", "events", "responders",
        "server",
    ],
    "docs/explanation/index": [
        "why-401", "renewal", "reliability", "trust", "peers", "digest", "early-refusals",
        "performance",
        "/findings/README", "/CONTRIBUTING", "/SECURITY", "/CHANGELOG",
    ],
}  # fmt: skip


# Their words would come before those of the pages for users.
NOT_SEARCHED = {"CONTRIBUTING"}


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the list of a section's pages to its first page."""
    if page in NOT_SEARCHED:
        source[0] = f"---\nnosearch: true\n---\n{source[0]}"
    if page in SECTIONS:
        listed = [name for name in SECTIONS[page] if "*" in name or _exists(app, page, name)]
        hidden = ":hidden:\n" if page.endswith("/index") else ""
        source[0] += f"\n```{{toctree}}\n{hidden}:glob:\n\n" + "\n".join(listed) + "\n```\n"


def _exists(app: Sphinx, page: str, name: str) -> bool:
    folder = app.srcdir if name.startswith("/") else Path(app.srcdir, page).parent
    return Path(folder, f"./{name}.md").exists()


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the lists while the pages are read."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
