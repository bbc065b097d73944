#!/usr/bin/env bash
# A bot's server answers 401 for four seconds: three of seven bots are gone, one lives and never asks again, one never stops asking.
#
# Versions:  python-telegram-bot 22.8, aiogram 3.31.0, pyTelegramBotAPI 4.37.1, matrix-nio 0.26.0 (PyPI, Python 3.11), telegraf 4.16.3,
#            grammy 1.46.0 (npm, Node 20).
# Behaviour: a bot asks for new messages again and again: getUpdates for Telegram, /sync for Matrix. The server answers 401 for four seconds,
#            as Telegram says it (error_code 401) and as Matrix says it (M_UNKNOWN_TOKEN). Then it lives, and has a message.
#            python-telegram-bot logs InvalidToken once, and its run_polling() goes on running without ever asking again: nothing ends
#            the process, so nothing restarts it. bot.polling() of pyTelegramBotAPI returns, and the process ends with 0. matrix-nio
#            asks again without a pause, and logs "'next_batch' is a required property" each time: it says neither 401 nor M_UNKNOWN_TOKEN.
# Seen:                                  requests in 4 s   401 told   process        hears again
#            python-telegram-bot         1                 yes        lives          no
#            aiogram                     a few             yes        lives          yes
#            telebot polling             1                 yes        ended with 0   no
#            telebot infinity_polling    a few             yes        lives          yes
#            matrix-nio                  40 or more        no         lives          yes
#            telegraf                    1                 yes        ended with 1   no
#            grammy                      1                 yes        ended with 1   no
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in python-telegram-bot==22.8 aiogram==3.31.0 pyTelegramBotAPI==4.37.1 matrix-nio==0.26.0; do
    python3 -m venv "${package%%==*}"
    "${package%%==*}/bin/python" -m pip install -qq --disable-pip-version-check "$package" 2>/dev/null
done
npm install --silent --no-fund --no-audit telegraf@4.16.3 grammy@1.46.0 >/dev/null

cat > ptb_bot.py <<'PYTHON'
import sys
from telegram.ext import Application, MessageHandler, filters

async def hear(update, context):
    print("HEARD", flush=True)

app = Application.builder().token("1:abc").base_url(sys.argv[1] + "/bot").build()
app.add_handler(MessageHandler(filters.ALL, hear))
app.run_polling(timeout=1)
PYTHON
cat > aiogram_bot.py <<'PYTHON'
import asyncio, sys
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

dispatcher = Dispatcher()

@dispatcher.message()
async def hear(message):
    print("HEARD", flush=True)

async def main():
    bot = Bot("1:abc", session=AiohttpSession(api=TelegramAPIServer.from_base(sys.argv[1])))
    await dispatcher.start_polling(bot, polling_timeout=1)

asyncio.run(main())
PYTHON
cat > telebot_bot.py <<'PYTHON'
import sys
import telebot

telebot.apihelper.API_URL = sys.argv[1] + "/bot{0}/{1}"
bot = telebot.TeleBot("1:abc")

@bot.message_handler(func=lambda message: True)
def hear(message):
    print("HEARD", flush=True)

getattr(bot, sys.argv[2])(timeout=1, long_polling_timeout=1)
PYTHON
cat > nio_bot.py <<'PYTHON'
import asyncio, sys
from nio import AsyncClient, RoomMessageText

async def hear(room, event):
    print("HEARD", flush=True)

async def main():
    client = AsyncClient(sys.argv[1], "@ada:example.org")
    client.restore_login("@ada:example.org", "DEVICE", "token")
    client.add_event_callback(hear, RoomMessageText)
    await client.sync_forever(timeout=1000)

asyncio.run(main())
PYTHON
cat > telegraf_bot.js <<'JS'
const { Telegraf } = require("telegraf");
const bot = new Telegraf("1:abc", { telegram: { apiRoot: process.argv[2] } });
bot.on("message", () => console.log("HEARD"));
bot.launch();
JS
cat > grammy_bot.js <<'JS'
const { Bot } = require("grammy");
const bot = new Bot("1:abc", { client: { apiRoot: process.argv[2] } });
bot.on("message", () => console.log("HEARD"));
bot.start({ timeout: 1 });
JS

cat > try.py <<'PYTHON'
import http.server, json, os, pathlib, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

BOT = {"id": 1, "is_bot": True, "first_name": "b", "username": "b_bot"}
ADA = {"id": 5, "is_bot": False, "first_name": "Ada"}


def serve():
    """A server of Telegram and Matrix: it has one message more whenever `messages` is increased."""

    class Server(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        alive, refused, messages, sent = True, 0, 0, 0

        def do_GET(self):
            self.read_body()
            server = type(self)
            if not server.alive:
                server.refused += 1
                matrix = {"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed.", "soft_logout": False}
                telegram = {"ok": False, "error_code": 401, "description": "Unauthorized"}
                return self.answer(401, matrix if "_matrix" in self.path else telegram)
            method = self.path.partition("?")[0].rpartition("/")[2].lower()
            if method in ("getupdates", "sync"):
                time.sleep(0.3)
                is_new, server.sent = server.sent < server.messages, server.messages
                return self.answer(200, self.sync(is_new) if method == "sync" else {"ok": True, "result": self.updates(is_new)})
            if method == "getwebhookinfo":
                return self.answer(200, {"ok": True, "result": {"url": "", "has_custom_certificate": False, "pending_update_count": 0}})
            self.answer(200, {"ok": True, "result": BOT if method == "getme" else True, "filter_id": "1"})

        do_POST = do_PUT = do_GET

        def updates(self, is_new):
            message = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private", "first_name": "Ada"}, "from": ADA, "text": "hi"}
            return [{"update_id": 7 + self.sent, "message": message}] if is_new else []

        def sync(self, is_new):
            event = {"type": "m.room.message", "sender": "@bob:example.org", "event_id": f"${self.sent}", "origin_server_ts": int(time.time() * 1000)}
            timeline = {"events": [event | {"content": {"msgtype": "m.text", "body": "hi"}}] if is_new else [], "limited": False, "prev_batch": "p"}
            none = {"events": []}
            room = {"timeline": timeline, "state": none, "ephemeral": none, "account_data": none, "summary": {}, "unread_notifications": {}}
            rooms = {"join": {"!r:example.org": room}, "invite": {}, "leave": {}}
            lists = {"presence": none, "account_data": none, "to_device": none, "device_lists": {}, "device_one_time_keys_count": {}}
            return {"next_batch": f"s{time.time()}", "rooms": rooms} | lists

        def read_body(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def answer(self, status, document):
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            """A bot that ends closes its connections."""

    listening = Quiet(("127.0.0.1", 0), Server)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return Server, f"http://127.0.0.1:{listening.server_port}"


def watch(name):
    server, url = serve()
    program, *options = BOTS[name]
    path = pathlib.Path(f"{name}.txt")
    with path.open("w") as output:
        bot = subprocess.Popen([*program, url, *options], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        heard = [hears(server, path, 1, 40)]
        server.alive = False
        time.sleep(4)
        server.alive = True
        heard.append(hears(server, path, 2, 15))
        code = bot.poll()
    finally:
        bot.kill()
        bot.wait()
    if not heard[0]:
        sys.exit(f"{name} hears nothing: {path.read_text()[-2000:]}")
    asked = "1" if server.refused == 1 else "a few" if server.refused < 15 else "40 or more" if server.refused >= 40 else str(server.refused)
    told = any(word in path.read_text() for word in ("401", "Unauthorized", "UNKNOWN_TOKEN"))
    return [asked, "yes" if told else "no", "lives" if code is None else f"ended with {code}", "yes" if heard[1] else "no"]


def hears(server, path, number, seconds):
    server.messages = number
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.read_text().count("HEARD") == number:
            return True
        time.sleep(0.2)
    return False


def python(package, file):
    return [f"{package}/bin/python", file]


BOTS = {
    "python-telegram-bot": [python("python-telegram-bot", "ptb_bot.py")],
    "aiogram": [python("aiogram", "aiogram_bot.py")],
    "telebot polling": [python("pyTelegramBotAPI", "telebot_bot.py"), "polling"],
    "telebot infinity_polling": [python("pyTelegramBotAPI", "telebot_bot.py"), "infinity_polling"],
    "matrix-nio": [python("matrix-nio", "nio_bot.py")],
    "telegraf": [["node", "telegraf_bot.js"]],
    "grammy": [["node", "grammy_bot.js"]],
}
EXPECTED = {
    "python-telegram-bot": ["1", "yes", "lives", "no"],
    "aiogram": ["a few", "yes", "lives", "yes"],
    "telebot polling": ["1", "yes", "ended with 0", "no"],
    "telebot infinity_polling": ["a few", "yes", "lives", "yes"],
    "matrix-nio": ["40 or more", "no", "lives", "yes"],
    "telegraf": ["1", "yes", "ended with 1", "no"],
    "grammy": ["1", "yes", "ended with 1", "no"],
}
with ThreadPoolExecutor(len(BOTS)) as pool:
    seen = dict(zip(BOTS, pool.map(watch, BOTS)))
print(f"{'':28}requests in 4 s   401 told   process        hears again")
for name, (asked, told, process, again) in seen.items():
    print(f"{name:28}{asked:18}{told:11}{process:15}{again}")
sys.exit(seen != EXPECTED)
PYTHON
python3 try.py
