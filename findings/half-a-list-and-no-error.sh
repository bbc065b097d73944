#!/usr/bin/env bash
# A session dies between two pages of a list: four of six libraries give half of it as the whole, for one kind of response or another.
#
# Versions:  Sickle 0.7.0, oaipmh-scythe 0.16.0, dlt 1.31.0, pystac-client 0.9.1, azure-storage-blob 12.31.1, minio 7.2.20
#            (PyPI, Python 3.11).
# Behaviour: the list has three pages of two entries. The first comes; then the session is dead. All six raise an error after a 401.
#            A login page with 200 is read by Sickle and oaipmh-scythe with a parser that recovers from anything: they find no more entries
#            and no token for the next page, and the harvest ends. `{"success": false}` with 200 is JSON without "next" and
#            without entries, so dlt and pystac-client end too. A program that keeps what it gets, or deletes what is
#            no longer listed, has lost two thirds without a word.
# Seen (entries; "!" if an error follows; while the session lives, then 401, login page, {"success": false}):
#            sickle         6  2 !  2    2 !
#            oaipmh-scythe  6  2 !  2    2 !
#            dlt            6  2 !  2 !  2
#            pystac-client  6  2 !  2 !  2
#            azure          6  2 !  2 !  2 !
#            minio          6  2 !  2 !  2 !
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check Sickle==0.7.0 oaipmh-scythe==0.16.0 dlt==1.31.0 \
    pystac-client==0.9.1 azure-storage-blob==12.31.1 minio==7.2.20
cd "$folder"
export HOME=$folder RUNTIME__DLTHUB_TELEMETRY=false

cat > try.py <<'PYTHON'
import http.server, json, logging, pathlib, sys, threading, warnings

warnings.simplefilter("ignore")
logging.disable()
LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
OAI = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListIdentifiers>{}<resumptionToken>{}</resumptionToken></ListIdentifiers></OAI-PMH>'
AZURE = '<EnumerationResults ContainerName="azure"><Blobs>{}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>'
S3 = ('<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>minio</Name><IsTruncated>{2}</IsTruncated>'
      '<NextContinuationToken>{1}</NextContinuationToken>{0}</ListBucketResult>')
session, sent = "alive", 0


def page(kind, number, url):
    """Two entries and the way to the next page, unless it is the third, in the form of the library."""
    entries, following = [f"{number}{letter}" for letter in "ab"], str(number + 1) if number < 3 else ""
    if kind == "oai":
        head = "<header><identifier>{}</identifier><datestamp>2026-01-01</datestamp></header>"
        return OAI.format("".join(map(head.format, entries)), following)
    if kind == "azure":
        return AZURE.format("".join(f"<Blob><Name>{entry}</Name></Blob>" for entry in entries), following)
    if kind == "minio":
        item = "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>e</ETag><Size>1</Size></Contents>"
        return S3.format("".join(map(item.format, entries)), following, str(bool(following)).lower())
    if kind == "dlt":
        return json.dumps({"items": entries, "next": f"{url}/dlt?page={following}" if following else None})
    links = [{"rel": "next", "href": f"{url}/stac?page={following}", "method": "GET"}] if following else []
    return json.dumps({"type": "FeatureCollection", "features": [{"id": entry} for entry in entries], "links": links})


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global sent
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        kind, sent = self.path.strip("/").split("/")[0].split("?")[0], sent + 1
        if sent == 1 or session == "alive":
            media = "application/json" if kind in ("dlt", "stac") else "application/xml"
            self.answer(200, page(kind, sent, url).encode(), "Content-Type", media)
        elif session == "401":
            self.answer(401, b"", "WWW-Authenticate", 'Bearer realm="api", error="invalid_token"')
        elif session == "login page":
            self.answer(200, LOGIN, "Content-Type", "text/html")
        else:
            self.answer(200, b'{"success": false}', "Content-Type", "application/json")

    do_POST = do_GET

    def answer(self, status, content, name, value):
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def by_sickle():
    from sickle import Sickle

    return Sickle(f"{url}/oai").ListIdentifiers(metadataPrefix="oai_dc")


def by_scythe():
    from oaipmh_scythe import Scythe

    return Scythe(f"{url}/oai").list_identifiers(metadata_prefix="oai_dc")


def by_dlt():
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

    client = RESTClient(url, paginator=JSONLinkPaginator("next"), data_selector="items")
    return (entry for part in client.paginate("/dlt") for entry in part)


def by_pystac():
    from pystac_client import ItemSearch
    from pystac_client.stac_api_io import StacApiIO

    return ItemSearch(f"{url}/stac", method="GET", stac_io=StacApiIO(max_retries=None)).items_as_dicts()


def by_azure():
    from azure.storage.blob import ContainerClient

    return ContainerClient.from_container_url(f"{url}/azure", retry_total=0).list_blob_names()


def by_minio():
    from minio import Minio

    return Minio(url.removeprefix("http://"), "ada", "s3cret", secure=False, region="us-east-1").list_objects("minio", recursive=True)


LIBRARIES = {
    "sickle": by_sickle,
    "oaipmh-scythe": by_scythe,
    "dlt": by_dlt,
    "pystac-client": by_pystac,
    "azure": by_azure,
    "minio": by_minio,
}
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for name, entries in LIBRARIES.items():
    seen = []
    for session in ("alive", "401", "login page", "flag"):
        sent = count = 0
        error = ""
        try:
            for _ in entries():
                count += 1
        except Exception as raised:
            error = " !"
            if "-v" in sys.argv:
                print(session, repr(raised)[:300])
        seen.append(f"{count}{error}")
    line = f"{name:14} {seen[0]}  " + "  ".join(part.ljust(3) for part in seen[1:])
    as_expected &= line.rstrip() in wanted
    print(line.rstrip(), flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$script" "$@"
