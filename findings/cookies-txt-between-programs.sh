#!/usr/bin/env bash
# cookies.txt: one program logs in and saves its cookies, another one loads them; in 25 of 42 pairs the session is gone.
#
# Versions:  curl 7.88.1, GNU Wget 1.21.3, GNU Wget2 1.99.1, aria2 1.36.0, Ruby's http-cookie 1.0.5, LWP's HTTP::Cookies 6.10
#            (all of Debian 12), Python 3.11's MozillaCookieJar, yt-dlp 2026.10.26 (PyPI). Needs the first six.
# Behaviour: the server sets its session as most frameworks do: HttpOnly, and without an end. The format has no
#            specification.
#            - curl, Wget2 and Ruby mark HttpOnly as "#HttpOnly_" before the host. To Wget and aria2 that is a
#              comment.
#            - "Without an end" is 0 to all but Python, which writes nothing there. Python and LWP take 0 for the
#              past, even where they are told to keep what has expired; curl, Wget, aria2 and LWP take nothing for it.
#            - Wget writes the port behind the host (where it is not 80 or 443). Nobody but Ruby finds such a host
#              again.
#            - Python and yt-dlp refuse a file whose first line they do not know: aria2 writes none, and Wget2
#              "cookie" with a small c.
# Seen (loaded by; + is a session that is sent, - one that is not, ! an error):
#            saved by   curl wget aria2 python LWP ruby yt-dlp
#            curl       +    -    -     -      -   +    +
#            wget       -    +    -     -      -   +    -
#            wget2      +    -    -     !      -   +    !
#            aria2      +    +    +     !      -   +    !
#            python     -    -    -     +      -   +    +
#            ruby       +    -    -     -      -   +    +
# Exits with 1 if that changes.
set -euo pipefail

for program in curl wget wget2 aria2c ruby perl; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
ruby -e 'require "http/cookie_jar"' 2>/dev/null || { echo "this needs Ruby's http-cookie"; exit 2; }
perl -MLWP::UserAgent -MHTTP::Cookies::Netscape -e 1 2>/dev/null || { echo "this needs Perl's LWP"; exit 2; }
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check yt-dlp==2026.10.26
cd "$folder"
export HOME=$folder

cat > by_python.py <<'PYTHON'
import http.cookiejar, sys, urllib.request

action, url = sys.argv[1:]
jar = http.cookiejar.MozillaCookieJar("jar")
if action == "load":
    jar.load(ignore_discard=True, ignore_expires=True)
urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(url).read()
if action == "save":
    jar.save(ignore_discard=True)
PYTHON

cat > by_lwp.pl <<'PERL'
use LWP::UserAgent;
use HTTP::Cookies::Netscape;
my $jar = HTTP::Cookies::Netscape->new(file => "jar", ignore_discard => 1);
LWP::UserAgent->new(cookie_jar => $jar)->get($ARGV[0]);
PERL

cat > by_ruby.rb <<'RUBY'
require "net/http"
require "http/cookie_jar"
action, url = ARGV
uri, jar = URI(url), HTTP::CookieJar.new
jar.load("jar", :cookiestxt) if action == "load"
request = Net::HTTP::Get.new(uri)
cookies = HTTP::Cookie.cookie_value(jar.cookies(uri))
request["Cookie"] = cookies unless cookies.empty?
answer = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
(answer.get_fields("set-cookie") || []).each { |field| jar.parse(field, uri) }
jar.save("jar", format: :cookiestxt, session: true) if action == "save"
RUBY

cat > pairs.py <<'PYTHON'
import http.server, pathlib, shutil, subprocess, sys, threading

sent = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sent.append(self.headers["Cookie"] or "")
        self.send_response(200)
        if self.path == "/login":
            self.send_header("Set-Cookie", "session=abc123; HttpOnly; Path=/; SameSite=Lax")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"ok")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
login, page = base + "/login", base + "/"
here = pathlib.Path().absolute()
python, ytdlp = str(here / "venv/bin/python"), str(here / "venv/bin/yt-dlp")
SAVE = {
    "curl": ["curl", "-sS", "-c", "jar", login],
    "wget": ["wget", "-qO-", "--save-cookies", "jar", "--keep-session-cookies", login],
    "wget2": ["wget2", "-qO-", "--save-cookies", "jar", "--keep-session-cookies", login],
    "aria2": ["aria2c", "-q", "--save-cookies=jar", "-o", "saved", login],
    "python": [python, str(here / "by_python.py"), "save", login],
    "ruby": ["ruby", str(here / "by_ruby.rb"), "save", login],
}
LOAD = {
    "curl": ["curl", "-sS", "-b", "jar", page],
    "wget": ["wget", "-qO-", "--load-cookies", "jar", page],
    "aria2": ["aria2c", "-q", "--load-cookies=jar", "-o", "loaded", page],
    "python": [python, str(here / "by_python.py"), "load", page],
    "LWP": ["perl", str(here / "by_lwp.pl"), page],
    "ruby": ["ruby", str(here / "by_ruby.rb"), "load", page],
    "yt-dlp": [ytdlp, "-q", "--cookies", "jar", "--skip-download", "--force-generic-extractor", page],
}
EXPECTED = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    words = line.split()
    if len(words) == 9 and words[0] == "#" and words[1] in SAVE:
        EXPECTED[words[1]] = words[2:]


def run(command):
    return subprocess.run(command, cwd="work", capture_output=True, stdin=subprocess.DEVNULL)


def loaded(by, jar):
    shutil.rmtree("work")
    pathlib.Path("work").mkdir()
    pathlib.Path("work/jar").write_text(jar)
    sent.clear()
    run(LOAD[by])
    return "!" if not sent else "+" if "session=abc123" in sent[0] else "-"


as_expected = list(EXPECTED) == list(SAVE)
print(f"saved by   {' '.join(LOAD)}")
for by, command in SAVE.items():
    shutil.rmtree("work", ignore_errors=True)
    pathlib.Path("work").mkdir()
    run(command)
    jar = pathlib.Path("work/jar").read_text()
    seen = [loaded(other, jar) for other in LOAD]
    as_expected &= seen == EXPECTED.get(by)
    print(f"{by:10} {' '.join(sign.ljust(len(other)) for sign, other in zip(seen, LOAD))}")
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" pairs.py "$script"
