// Better Auth and Auth.js, each with an account for ada; POST /kill ends the sessions of the former.
import { ExpressAuth, getSession } from "@auth/express";
import Credentials from "@auth/express/providers/credentials";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import express from "express";

const port = Number(process.argv[2]);
const tables = { user: [], session: [], account: [], verification: [] };
const better = betterAuth({
  database: memoryAdapter(tables),
  baseURL: `http://127.0.0.1:${port}`,
  secret: "a secret of more than thirty-two characters",
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
});
const authjs = {
  trustHost: true,
  secret: "another secret of more than thirty-two characters",
  logger: { error() {} },
  providers: [
    Credentials({
      credentials: { username: {}, password: {} },
      authorize: ({ username, password }) =>
        username === "ada" && password === "pa55word" ? { id: "1", name: "ada" } : null,
    }),
  ],
};

const app = express();
app.all("/api/auth/*splat", toNodeHandler(better));
app.use("/auth", ExpressAuth(authjs));
app.get("/", (_, response) => response.send("home"));
app.get("/better", async (request, response) => {
  const session = await better.api.getSession({ headers: fromNodeHeaders(request.headers) });
  response.status(session ? 200 : 401).send(session?.user.email);
});
app.get("/authjs", async (request, response) => {
  const session = await getSession(request, { ...authjs, basePath: "/auth" });
  response.status(session ? 200 : 401).send(session?.user.name);
});
app.post("/kill", (_, response) => response.json(tables.session.splice(0).length));

await better.api.signUpEmail({ body: { email: "ada@example.com", password: "pa55word", name: "ada" } });
tables.session.length = 0;
app.listen(port, "127.0.0.1", () => console.log("ready"));
