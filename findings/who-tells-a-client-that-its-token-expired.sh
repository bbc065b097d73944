#!/usr/bin/env bash
# Sixteen libraries that check tokens: three of them tell a client, in a challenge, that its token has expired.
#
# Versions:  Flask-JWT-Extended 4.7.4, Flask-HTTPAuth 4.8.1, Litestar 2.25.0, AuthX 1.7.1, django-ninja-jwt 5.4.5,
#            djangorestframework-simplejwt 5.5.1, fastapi-users 15.0.5, aiohttp-jwt 0.6.1; express-jwt 8.5.1,
#            express-oauth2-jwt-bearer 1.10.0, @node-oauth/express-oauth-server 4.2.0, passport-http-bearer 1.0.1,
#            passport-jwt 4.0.1, koa-jwt 4.0.4, @fastify/jwt 10.2.8, hono 4.13.19.
# Behaviour: RFC 9110 §15.5.2 demands a challenge with each 401, and RFC 6750 §3.1 has invalid_token for a token that has
#            expired, and no code for a request without a token. Eleven send no challenge at all. AuthX answers an expired
#            token with 422. Two challenge for Bearer and do not say why. hono calls a request without a token malformed.
# Seen (status and error code; - for a challenge without one, none for no challenge):
#                                         without a token      with an expired one
#            Flask-JWT-Extended           401 none             401 none
#            Flask-HTTPAuth               401 -                401 -
#            Litestar                     401 none             401 none
#            AuthX                        401 none             422 none
#            django-ninja-jwt             401 none             401 none
#            simplejwt                    401 -                401 -
#            fastapi-users                401 none             401 none
#            aiohttp-jwt                  401 none             401 none
#            express-jwt                  401 none             401 none
#            express-oauth2-jwt-bearer    401 -                401 invalid_token
#            express-oauth-server         401 none             401 none
#            passport-http-bearer         401 -                401 invalid_token
#            passport-jwt                 401 none             401 none
#            koa-jwt                      401 none             401 none
#            @fastify/jwt                 401 none             401 none
#            hono                         401 invalid_request  401 invalid_token
# Exits with 1 if that changes. Needs Node 20 with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    flask-jwt-extended==4.7.4 flask-httpauth==4.8.1 litestar[jwt]==2.25.0 authx==1.7.1 fastapi==0.165.0 httpx==0.28.1 \
    django-ninja-jwt==5.4.5 djangorestframework==3.18.3 djangorestframework-simplejwt==5.5.1 fastapi-users==15.0.5 \
    aiohttp-jwt==0.6.1 aiohttp==3.14.5 2>/dev/null
cd "$folder"
npm install --silent --no-audit --no-fund express@5.3.0 jsonwebtoken@9.0.3 express-jwt@8.5.1 \
    express-oauth2-jwt-bearer@1.10.0 @node-oauth/express-oauth-server@4.2.0 passport@0.7.0 passport-http-bearer@1.0.1 \
    passport-jwt@4.0.1 koa@3.3.0 koa-jwt@4.0.4 fastify@5.12.8 @fastify/jwt@10.2.8 hono@4.13.19

cat > ask.py <<'PYTHON'
import asyncio, logging, re, time, warnings
from datetime import timedelta

import jwt

warnings.simplefilter("ignore")
SECRET = "a secret of at least thirty-two octets, for HS256"
LATE = timedelta(seconds=-60)


def token(**claims):
    return jwt.encode({"sub": "1", "iat": int(time.time()) - 90, "exp": int(time.time()) - 60} | claims, SECRET, "HS256")


def said(status, challenge):
    code = re.search(r'error="?(\w+)', challenge or "")
    return f"{status} {code[1] if code else '-' if challenge else 'none'}"


def show(name, get, expired):
    answers = [get({}), get({"Authorization": f"Bearer {expired}"})]
    print(f"{name:<28} {answers[0]:<20} {answers[1]}")


def over(client):  # of Starlette, Litestar, Flask or Django
    def get(headers):
        answer = client.get("/", headers=headers)
        return said(answer.status_code, answer.headers.get("WWW-Authenticate"))
    return get


def flask_jwt_extended():
    from flask import Flask
    from flask_jwt_extended import JWTManager, create_access_token, jwt_required

    app = Flask("orders")
    app.config["JWT_SECRET_KEY"] = SECRET
    JWTManager(app)
    app.get("/")(jwt_required()(lambda: "ok"))
    with app.app_context():
        show("Flask-JWT-Extended", over(app.test_client()), create_access_token("1", expires_delta=LATE))


def flask_httpauth():
    from flask import Flask
    from flask_httpauth import HTTPTokenAuth

    app, auth = Flask("orders"), HTTPTokenAuth()
    auth.verify_token(lambda token: None)  # as its documentation has it
    app.get("/")(auth.login_required(lambda: "ok"))
    show("Flask-HTTPAuth", over(app.test_client()), token())


def litestar():
    from litestar import Litestar, get
    from litestar.security.jwt import JWTAuth
    from litestar.testing import TestClient

    async def user(token, connection):
        return "ada"

    @get("/", sync_to_thread=False)
    def orders() -> str:
        return "ok"

    auth = JWTAuth(retrieve_user_handler=user, token_secret=SECRET)
    with TestClient(Litestar([orders], on_app_init=[auth.on_app_init])) as client:
        show("Litestar", over(client), token())


def authx():
    from authx import AuthX, AuthXConfig
    from fastapi import Depends, FastAPI
    from starlette.testclient import TestClient

    auth, app = AuthX(AuthXConfig(JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION=["headers"])), FastAPI()
    auth.handle_errors(app)
    app.get("/", dependencies=[Depends(auth.access_token_required)])(lambda: "ok")
    show("AuthX", over(TestClient(app)), auth.create_access_token("1", expiry=LATE))


def django():
    import django
    from django.conf import settings
    from django.test import Client
    from django.urls import path

    tables = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    apps = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "ninja_extra"]
    settings.configure(
        SECRET_KEY=SECRET, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], INSTALLED_APPS=apps, DATABASES=tables, USE_TZ=True
    )
    django.setup()
    from ninja_extra import NinjaExtraAPI
    from ninja_jwt.authentication import JWTAuth
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.views import APIView
    from rest_framework_simplejwt.authentication import JWTAuthentication

    class Orders(APIView):
        authentication_classes, permission_classes = [JWTAuthentication], [IsAuthenticated]

    ninja = NinjaExtraAPI()
    ninja.get("/", auth=JWTAuth())(lambda request: "ok")
    globals()["urlpatterns"] = [path("ninja/", ninja.urls), path("drf/", Orders.as_view())]
    claims = {"token_type": "access", "user_id": 1, "jti": "a"}
    for name, url in (("django-ninja-jwt", "/ninja/"), ("simplejwt", "/drf/")):
        def get(headers):
            answer = Client(headers=headers).get(url)
            return said(answer.status_code, answer.headers.get("WWW-Authenticate"))
        show(name, get, token(**claims))


def fastapi_users():
    from fastapi import Depends, FastAPI
    from fastapi_users import BaseUserManager, FastAPIUsers
    from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
    from starlette.testclient import TestClient

    async def manager():
        yield BaseUserManager(None)

    backend = AuthenticationBackend("jwt", BearerTransport("token"), lambda: JWTStrategy(SECRET, 3600))
    user, app = FastAPIUsers(manager, [backend]).current_user(), FastAPI()
    app.get("/", dependencies=[Depends(user)])(lambda: "ok")
    show("fastapi-users", over(TestClient(app)), token(aud=["fastapi-users:auth"]))


def aiohttp_jwt():
    from aiohttp import web
    from aiohttp.test_utils import TestClient, TestServer
    from aiohttp_jwt import JWTMiddleware

    def get(headers):
        async def ask():
            app = web.Application(middlewares=[JWTMiddleware(SECRET, algorithms=["HS256"])])
            app.router.add_get("/", lambda request: web.Response())
            async with TestClient(TestServer(app)) as client, client.get("/", headers=headers) as answer:
                return said(answer.status, answer.headers.get("WWW-Authenticate"))
        return asyncio.run(ask())

    show("aiohttp-jwt", get, token())


logging.disable()
for ask in (flask_jwt_extended, flask_httpauth, litestar, authx, django, fastapi_users, aiohttp_jwt):
    ask()
PYTHON

cat > ask.mjs <<'JAVASCRIPT'
import http from "node:http";
import { createRequire } from "node:module";

import fastifyJwt from "@fastify/jwt";
import express from "express";
import { expressjwt } from "express-jwt";
import fastify from "fastify";
import { Hono } from "hono";
import { jwt } from "hono/jwt";
import Koa from "koa";
import koaJwt from "koa-jwt";
import { Passport } from "passport";
import { Strategy as Bearer } from "passport-http-bearer";
import { ExtractJwt, Strategy as Jwt } from "passport-jwt";

const require = createRequire(import.meta.url);
const { auth } = require("express-oauth2-jwt-bearer");
const OAuthServer = require("@node-oauth/express-oauth-server");
const secret = "a secret of at least thirty-two octets, for HS256";
const [issuer, audience, past] = ["https://issuer.example/", "api", new Date(Date.now() - 60_000)];
const claims = { sub: "1", iss: issuer, aud: audience, exp: Math.floor(past / 1000) };
const expired = require("jsonwebtoken").sign(claims, secret);

const protect = (middleware) => {
  const app = express().set("env", "test").use(middleware).get("/", (_, response) => response.end("ok"));
  return http.createServer(app);
};
const passport = (strategy, name) => protect(new Passport().use(strategy).authenticate(name, { session: false }));
const model = {
  getAccessToken: async (token) => ({ accessToken: token, accessTokenExpiresAt: past, client: {}, user: {} }),
};
const fromHeader = { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret };
const servers = {
  "express-jwt": () => protect(expressjwt({ secret, algorithms: ["HS256"] })),
  "express-oauth2-jwt-bearer": () => protect(auth({ issuer, audience, secret, tokenSigningAlg: "HS256" })),
  "express-oauth-server": () => protect(new OAuthServer({ model }).authenticate()),
  "passport-http-bearer": () => passport(new Bearer((token, done) => done(null, false, "expired")), "bearer"),
  "passport-jwt": () => passport(new Jwt(fromHeader, (payload, done) => done(null, payload)), "jwt"),
  "koa-jwt": () => http.createServer(Object.assign(new Koa(), { silent: true }).use(koaJwt({ secret })).callback()),
  "@fastify/jwt": async () => {
    const app = fastify().register(fastifyJwt, { secret });
    app.get("/", { onRequest: (request) => request.jwtVerify() }, async () => "ok");
    await app.ready();
    return app.server;
  },
  hono: () => {
    const app = new Hono().use(jwt({ secret, alg: "HS256" })).get("/", (context) => context.text("ok"));
    return http.createServer(async (request, response) => {
      const answer = await app.request("/", { headers: request.headers });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end();
    });
  },
};

for (const [name, make] of Object.entries(servers)) {
  const server = await make();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const seen = [];
  for (const headers of [{}, { authorization: `Bearer ${expired}` }]) {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers });
    const challenge = answer.headers.get("www-authenticate");
    const code = /error="?(\w+)/.exec(challenge ?? "");
    seen.push(`${answer.status} ${code ? code[1] : challenge ? "-" : "none"}`);
  }
  console.log(`${name.padEnd(28)} ${seen[0].padEnd(20)} ${seen[1]}`);
  server.closeAllConnections();
  server.close();
}
JAVASCRIPT

expected='Flask-JWT-Extended           401 none             401 none
Flask-HTTPAuth               401 -                401 -
Litestar                     401 none             401 none
AuthX                        401 none             422 none
django-ninja-jwt             401 none             401 none
simplejwt                    401 -                401 -
fastapi-users                401 none             401 none
aiohttp-jwt                  401 none             401 none
express-jwt                  401 none             401 none
express-oauth2-jwt-bearer    401 -                401 invalid_token
express-oauth-server         401 none             401 none
passport-http-bearer         401 -                401 invalid_token
passport-jwt                 401 none             401 none
koa-jwt                      401 none             401 none
@fastify/jwt                 401 none             401 none
hono                         401 invalid_request  401 invalid_token'

seen=$("$folder/venv/bin/python" ask.py; node ask.mjs)
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed"; exit 1; }
