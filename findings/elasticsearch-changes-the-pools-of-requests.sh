#!/usr/bin/env bash
# One Elasticsearch client over requests changes the https connections of every other requests session.
#
# Versions:  elasticsearch 9.5.1 (elastic-transport 9.4.2), requests 2.34.2, urllib3 2.8.0.
# Behaviour: elastic_transport's RequestsHttpNode means to give its own pool manager a pool class of its own for "https". The
#            table that it writes to is urllib3's, which all pool managers share: from then on each requests session of the
#            process, and whoever else uses urllib3, takes that class, though no request to Elasticsearch was ever sent.
# Seen (the class that requests takes for https):
#            before the client  urllib3.connectionpool.HTTPSConnectionPool
#            after the client   elastic_transport._node._urllib3_chain_certs.HTTPSConnectionPool
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    elasticsearch==9.5.1 elastic-transport==9.4.2 requests==2.34.2 urllib3==2.8.0 2>/dev/null
cd "$folder"

cat > pools.py <<'PYTHON'
import sys

import elastic_transport
import elasticsearch
from requests.adapters import HTTPAdapter


def pool():
    kind = type(HTTPAdapter().poolmanager.connection_from_url("https://api.example"))
    return f"{kind.__module__}.{kind.__qualname__}"


before = pool()
elasticsearch.Elasticsearch("http://127.0.0.1:9200", node_class=elastic_transport.RequestsHttpNode)
after = pool()
print(f"before the client  {before}")
print(f"after the client   {after}")
sys.exit((before, after) != (
    "urllib3.connectionpool.HTTPSConnectionPool",
    "elastic_transport._node._urllib3_chain_certs.HTTPSConnectionPool",
))
PYTHON

venv/bin/python pools.py
