#!/usr/bin/env bash
# A server renews or ends a session cookie, in nineteen forms: nine cookie jars and Chromium agree about three of them.
#
# Versions:  Python 3.11's http.cookiejar by requests 2.34.2, aiohttp 3.14.5 (PyPI); tough-cookie 6.1.0 (npm, Node 20); Go 1.19.8,
#            Java 17, curl 7.88.1, Ruby's http-cookie 1.0.5, LWP's HTTP::Cookies 6.10, Guzzle 7.4.5 (all of Debian 12);
#            Chromium (156 here). Needs all but the first two.
# Behaviour: each jar holds `s=old; Path=/; HttpOnly`. Then comes one of these fields, and the next request shows what is left.
#            - An Expires that is no date, such as -1 or 0, is to be ignored (RFC 6265 §5.2.1); for Java and Guzzle it has passed.
#            - Max-Age counts, whatever Expires says (§5.2.2); LWP and Guzzle look at Expires, Java at whichever comes last.
#            - The year 70 is 1970 (§5.1.1), and deletes the cookie. Python and LWP choose the century that is nearest to
#              today, and so it has been 2070 since 2020: a logout of that form leaves the dead cookie. curl says 2070 too.
#            - aiohttp does not delete a cookie whose Expires is the first second of 1970: Express deletes so.
#            - A Max-Age in quotes or with a fraction loses the new cookie in Python: the dead one is sent from then on.
#            - Secure over http to this machine: Chromium, curl and tough-cookie send it. The other seven send nothing.
#            - Go drops a value with JSON, or with spaces around it, and sends the old one. aiohttp puts a value that ends in
#              `=` into quotes.
#            tough-cookie alone is like Chromium throughout.
# Seen (+ as Chromium, - no session is sent, o the old one is, ~ another text):
#                                                                                requests aiohttp curl tough go java ruby lwp guzzle
#            s=new; Path=/                                                       +        +       +    +     +  +    +    +   +
#            s=deleted; Max-Age=0; Path=/ | s=new; Path=/                        +        +       +    +     +  +    +    +   +
#            s=new; Path=/; Expires=-1                                           +        +       +    +     +  -    +    +   -
#            s=new; Path=/; Expires=0                                            +        +       +    +     +  -    +    +   -
#            s=new; Path=/; Max-Age=600; Expires=Thu, 01 Jan 1970 00:00:00 GMT   +        +       +    +     +  +    +    -   -
#            s=new; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=600   +        +       +    +     +  -    +    -   -
#            s=new; Path=/; Expires=Wed, 09-Nov-33 23:12:40 GMT                  +        +       +    +     +  +    +    +   +
#            s=new; Path=/; Expires=Wed, 09 Nov 2033 23:12:40 UTC                +        +       +    +     +  -    +    +   +
#            s=new; Path=/; Max-Age="600"                                        o        +       +    +     +  ~    +    +   +
#            s=new; Path=/; Max-Age=600.0                                        o        +       +    +     +  o    +    +   +
#            s=new; Path=/; Secure                                               -        -       +    +     -  -    -    -   -
#            s = new; Path=/                                                     +        +       +    +     o  +    ~    +   +
#            s=bmV3==; Path=/                                                    +        ~       +    +     +  +    +    +   +
#            s={"id":1}; Path=/                                                  +        ~       +    +     o  +    ~    ~   +
#            s="a b,c"; Path=/                                                   +        +       +    +     +  ~    +    ~   +
#            s=; Path=/; Max-Age=0                                               +        +       +    +     +  +    +    o   o
#            s=x; Path=/; Max-Age=-1                                             +        +       +    +     +  o    +    o   +
#            s=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT                   +        o       +    +     +  +    +    +   +
#            s=x; Path=/; Expires=Thu, 01-Jan-70 00:00:00 GMT                    o        o       o    +     o  +    +    o   +
# Exits with 1 if that changes.
set -euo pipefail

for program in chromium node npm go java curl ruby perl php; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
ruby -e 'require "http/cookie_jar"' 2>/dev/null || { echo "this needs Ruby's http-cookie"; exit 2; }
perl -MLWP::UserAgent -MHTTP::Cookies -e 1 2>/dev/null || { echo "this needs Perl's LWP"; exit 2; }
php -r 'require "GuzzleHttp/autoload.php";' 2>/dev/null || { echo "this needs PHP's Guzzle"; exit 2; }
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check requests==2.34.2 aiohttp==3.14.5
cd "$folder"
export HOME=$folder GOCACHE=$folder/go
npm install --silent --no-audit --no-fund --prefix "$folder" tough-cookie@6.1.0 >/dev/null

cat > by_tough_cookie.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { CookieJar } from "tough-cookie";
const jar = new CookieJar();
for (const url of readFileSync(0, "utf8").split("\n")) {
  const cookie = await jar.getCookieString(url);
  const response = await fetch(url, { headers: cookie ? { cookie } : {} });
  for (const field of response.headers.getSetCookie()) await jar.setCookie(field, url, { ignoreError: true });
  await response.text();
}
JAVASCRIPT

cat > by_go.go <<'GO'
package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
)

func main() {
	jar, _ := cookiejar.New(nil)
	client := http.Client{Jar: jar}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if response, err := client.Get(lines.Text()); err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	}
}
GO
go build -o by_go by_go.go

cat > ByJava.java <<'JAVA'
import java.net.*;
import java.net.http.*;
import java.util.*;

public class ByJava {
    public static void main(String[] none) throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).cookieHandler(new CookieManager()).build();
        for (var lines = new Scanner(System.in); lines.hasNextLine(); )
            client.send(HttpRequest.newBuilder(URI.create(lines.nextLine())).build(), HttpResponse.BodyHandlers.discarding());
    }
}
JAVA

cat > by_ruby.rb <<'RUBY'
require "net/http"
require "http/cookie_jar"
jar = HTTP::CookieJar.new
STDIN.read.split("\n").each do |url|
  uri = URI(url)
  request = Net::HTTP::Get.new(uri)
  cookies = HTTP::Cookie.cookie_value(jar.cookies(uri))
  request["Cookie"] = cookies unless cookies.empty?
  answer = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
  (answer.get_fields("set-cookie") || []).each { |field| jar.parse(field, uri) }
end
RUBY

cat > by_lwp.pl <<'PERL'
use LWP::UserAgent;
use HTTP::Cookies;
my $client = LWP::UserAgent->new(cookie_jar => HTTP::Cookies->new);
while (<STDIN>) { chomp; $client->get($_) }
PERL

cat > by_guzzle.php <<'PHP'
<?php
require "GuzzleHttp/autoload.php";
$client = new GuzzleHttp\Client(["cookies" => true]);
foreach (explode("\n", stream_get_contents(STDIN)) as $url) $client->get($url);
PHP

cat > try.py <<'PYTHON'
import asyncio, http.server, pathlib, re, subprocess, sys, threading

import aiohttp, requests

RENEWALS = [
    "s=new; Path=/",
    "s=deleted; Max-Age=0; Path=/ | s=new; Path=/",
    "s=new; Path=/; Expires=-1",
    "s=new; Path=/; Expires=0",
    "s=new; Path=/; Max-Age=600; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "s=new; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=600",
    "s=new; Path=/; Expires=Wed, 09-Nov-33 23:12:40 GMT",
    "s=new; Path=/; Expires=Wed, 09 Nov 2033 23:12:40 UTC",
    's=new; Path=/; Max-Age="600"',
    "s=new; Path=/; Max-Age=600.0",
    "s=new; Path=/; Secure",
    "s = new; Path=/",
    "s=bmV3==; Path=/",
    's={"id":1}; Path=/',
    's="a b,c"; Path=/',
    "s=; Path=/; Max-Age=0",
    "s=x; Path=/; Max-Age=-1",
    "s=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "s=x; Path=/; Expires=Thu, 01-Jan-70 00:00:00 GMT",
]
received = {}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, action, *rest = self.path.split("/")
        content, fields = b"ok", []
        if action == "old":
            fields = [f"s{rest[0]}=old; Path=/; HttpOnly"]
        elif action == "renew":
            fields = [re.sub("^s", f"s{rest[0]}", field) for field in RENEWALS[int(rest[0])].split(" | ")]
        elif action == "use":
            received[rest[0]] = self.headers["Cookie"] or ""
        elif action == "page":
            urls = "','".join(all_urls())
            content = f"<script>(async()=>{{for(const url of ['{urls}'])await fetch(url)}})()</script>".encode()
        self.send_response(200)
        for field in fields:
            self.send_header("Set-Cookie", field)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def all_urls():
    return [f"{url}/{action}/{number}" for number in range(len(RENEWALS)) for action in ("old", "renew", "use")]


def by_requests():
    session = requests.Session()
    session.trust_env = False
    for one in all_urls():
        session.get(one)


def by_aiohttp():
    async def ask():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:  # for an IP address
            for one in all_urls():
                await (await session.get(one)).read()

    asyncio.run(ask())


def by_chromium():
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=profile", "--virtual-time-budget=30000",
         "--dump-dom", f"{url}/page"], capture_output=True, timeout=110)


def by_curl():
    subprocess.run(["curl", "-s", "-b", "", *(word for one in all_urls() for word in ("-o", "/dev/null", one))], check=True)


def by(*command):
    return lambda: subprocess.run(command, input="\n".join(all_urls()), text=True, capture_output=True, check=True, timeout=110)


JARS = {
    "requests": by_requests,
    "aiohttp": by_aiohttp,
    "curl": by_curl,
    "tough": by("node", "by_tough_cookie.mjs"),
    "go": by("./by_go"),
    "java": by("java", "ByJava.java"),
    "ruby": by("ruby", "by_ruby.rb"),
    "lwp": by("perl", "by_lwp.pl"),
    "guzzle": by("php", "by_guzzle.php"),
}


def sent(ask):
    """What is sent in the end, for each renewal."""
    received.clear()
    ask()
    fields = [re.search(rf'(?:^|; ?)s{number}=("[^"]*"|[^;]*)', received[str(number)]) for number in range(len(RENEWALS))]
    return [field and field[1] for field in fields]


def sign(value, browser):
    return "+" if value == browser else "-" if value is None else "o" if value in ("old", "x", '"x"', "", '""') else "~"


browser = sent(by_chromium)
as_expected = browser == ["new"] * 12 + ["bmV3==", '{"id":1}', '"a b,c"'] + [None] * 4
seen = {name: sent(ask) for name, ask in JARS.items()}
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
print(f"{'':68}" + " ".join(JARS))
for number, renewal in enumerate(RENEWALS):
    line = f"{renewal:67} " + " ".join(sign(values[number], browser[number]).ljust(len(name)) for name, values in seen.items())
    as_expected &= line.rstrip() in wanted
    print(line.rstrip())
sys.exit(not as_expected)
PYTHON

venv/bin/python try.py "$script"
