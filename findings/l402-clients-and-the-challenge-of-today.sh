#!/usr/bin/env bash
# Four clients that pay for an API (L402, status 402) and six well-formed challenges: one pays, and gets nothing for it.
#
# Versions:  l402-requests 0.9.0, l402kit 1.10.1, bolthub 0.7.0, @getalby/lightning-tools 9.0.1.
# Behaviour: the L402 specification has called the credential `token` instead of `macaroon` for some time, and sends `version`
#            first. RFC 9110 §11.2 has parameters in any order, quoted or not, and white space around "=". Two clients do not
#            know `token`; none but lightning-tools reads a value without quotes, none reads white space around "=". If only
#            the invoice has no quotes, l402-requests pays it, and then sends the quotes of the macaroon along: 402 again.
#            lightning-toll, a server on PyPI, sends the invoice first: l402-requests cannot pay it.
# Seen (200: paid and served; 402: the caller gets the 402; - the client's own error; "paid" is what the wallet says):
#            challenge      l402-requests  l402kit  bolthub  lightning-tools
#            of 2020        200 paid       200 paid 200 paid 200 paid
#            of today       402            -        200 paid 200 paid
#            invoice first  402            200 paid 200 paid 200 paid
#            behind Bearer  200 paid       200 paid 200 paid 200 paid
#            with spaces    402            -        -        -
#            no quotes      402 paid       -        -        200 paid
# Exits with 1 if that changes. Needs Node 20 with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    l402-requests==0.9.0 l402kit==1.10.1 bolthub==0.7.0 2>/dev/null
cd "$folder"
npm install --silent --no-audit --no-fund @getalby/lightning-tools@9.0.1

cat > pay.mjs <<'JAVASCRIPT'
import { fetchWithL402 } from "@getalby/lightning-tools";

let paid = "";
const wallet = { payInvoice: async () => ((paid = " paid"), { preimage: "00".repeat(32) }) };
try {
  const answer = await fetchWithL402(process.argv[2], {}, { wallet });
  console.log(answer.status + paid);
} catch {
  console.log("-" + paid);
}
JAVASCRIPT

cat > pay.py <<'PYTHON'
import http.server, subprocess, sys, threading

from bolthub.client import L402Client as Bolthub
from l402_requests import L402Client as L402Requests
from l402_requests.wallets import WalletBase
from l402kit.client import L402Client as L402Kit, L402Wallet

TOKEN, PREIMAGE = "AgEEbHNhdAJCAAA=", "00" * 32
# The second example of BOLT 11: 2500 µBTC for a cup of coffee. Nobody is paid: the wallets below do nothing.
INVOICE = (
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu"
    "9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)
FIELDS = {
    "of 2020": f'L402 macaroon="{TOKEN}", invoice="{INVOICE}"',
    "of today": f'L402 version="0", token="{TOKEN}", invoice="{INVOICE}"',
    "invoice first": f'L402 invoice="{INVOICE}", macaroon="{TOKEN}"',
    "behind Bearer": f'Bearer realm="a", L402 macaroon="{TOKEN}", invoice="{INVOICE}"',
    "with spaces": f'L402 macaroon = "{TOKEN}", invoice = "{INVOICE}"',
    "no quotes": f'L402 macaroon="{TOKEN}", invoice={INVOICE}',
}
paid = []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        accepted = self.headers["Authorization"] == f"L402 {TOKEN}:{PREIMAGE}"
        self.send_response(200 if accepted else 402)
        if not accepted:
            self.send_header("WWW-Authenticate", self.server.field)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Wallet(WalletBase, L402Wallet):
    async def pay_invoice(self, bolt11):
        return self.pay_invoice_sync(bolt11)

    def pay_invoice_sync(self, bolt11):
        paid.append(bolt11)
        return PREIMAGE


class SimpleWallet(L402Wallet):
    def pay_invoice(self, bolt11):
        paid.append(bolt11)
        return PREIMAGE


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"


def python(client):
    paid.clear()
    try:
        said = str(client.get(url).status_code)
    except Exception:
        said = "-"
    return said + " paid" * bool(paid)


def node():
    return subprocess.run(["node", "pay.mjs", url], capture_output=True, text=True).stdout.strip()


expected = {
    "of 2020": ["200 paid"] * 4,
    "of today": ["402", "-", "200 paid", "200 paid"],
    "invoice first": ["402", "200 paid", "200 paid", "200 paid"],
    "behind Bearer": ["200 paid"] * 4,
    "with spaces": ["402", "-", "-", "-"],
    "no quotes": ["402 paid", "-", "-", "200 paid"],
}
seen = {}
print("challenge      l402-requests  l402kit  bolthub  lightning-tools")
for form, server.field in FIELDS.items():
    clients = [L402Requests(wallet=Wallet(), budget=None), L402Kit(SimpleWallet()), Bolthub(SimpleWallet())]
    seen[form] = [*map(python, clients), node()]
    print("{:14} {:14} {:8} {:8} {}".format(form, *seen[form]))
sys.exit(seen != expected)
PYTHON
"$folder/venv/bin/python" pay.py
