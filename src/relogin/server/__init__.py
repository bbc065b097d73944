"""Keep an HTTP server's views behind a gate, which says why a session is refused.

`SessionGate` is in the module of your framework: `relogin.server.flask`, `django`, `drf`,
`starlette` (for FastAPI too), `wsgi` or `asgi`.

One gate decides; the integrations are thin. From the top floor down; a file imports only from
floors below its own:

- `drf`, `starlette`, `flask`, `django`, `asgi`, `wsgi`: one framework or protocol each.
- `responses`: the application's response on its way out: what the gate adds to it.
- `gate`: the options of a gate, and its decision about a request, without I/O.
- `drain`: reading the rest of a refused upload. `streams`: ending a response with its session.
- `refusals`: the gate's own responses: 401, 403 and 503.
- `options`, `paths`, `proxy_path`, `custom_refusals`: what the options of a gate may be, and what
  they mean.
- `verifiers`: calling the function that judges a token; two ready-made ones.
- `decisions`: what a request asks for, what the gate decides, and the response that it may send.
- `credentials`: reading them from a request. `request`: method, path and header fields.
- `fields`: merging header fields. `signatures`, `event_loops`, `logs`: tools of the others.
- `schemes`: Session and Bearer. `verdicts`: what a verifier may say: `Admitted`, `Refused`.
"""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # pragma: no branch - a type checker knows that there are no names

    def __getattr__(name: str) -> object:
        from relogin.lazy import no_attribute

        raise no_attribute(__name__, name)
