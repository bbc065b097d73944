"""cheroot has no command line that takes a certificate: python -m tests.uploads.serve_cheroot."""

import sys

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from tests.uploads.app import wsgi

port, *certificate = sys.argv[1:]
server = Server(("127.0.0.1", int(port)), wsgi)
server.max_request_body_size = 0
if certificate:
    server.ssl_adapter = BuiltinSSLAdapter(*certificate)
server.start()
