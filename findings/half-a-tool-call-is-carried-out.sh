#!/usr/bin/env bash
# A model's stream ends with its session, in the middle of a tool call: LangChain's agent pays 10, where the model was writing 1000.
#
# Versions:  langchain 1.5.2, langchain-openai 1.7.4, langchain-anthropic 1.7.10, openai 3.57.0, anthropic 2.14.0, openai-agents 0.24.0
#            (PyPI, Python 3.11); @anthropic-ai/sdk 1.14.0, openai 7.59.0 (npm, Node 20). Needs node and npm.
# Behaviour: a gateway ends a stream of events together with its session, cleanly: the last chunk, and no error. The marks of a
#            complete answer ([DONE] and finish_reason, message_stop) never came; the arguments of the tool call
#            so far are {"to": "ada", "amount": 10. The SDKs for JavaScript raise an error. The SDKs for Python return the message:
#            openai's has the text as it is, anthropic's completes the JSON. So does LangChain, whose agent calls the tool with
#            the amount 10, asks the model again, and ends well. OpenAI's agents do not call the tool.
# Seen:      anthropic           {'to': 'ada', 'amount': 10}
#            openai              {"to": "ada", "amount": 10
#            openai-agents       paid [], said done
#            langchain-openai    paid [10], said done
#            langchain-anthropic paid [10], said done
#            @anthropic-ai/sdk   AnthropicError
#            openai for Node     OpenAIError
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check langchain==1.5.2 langchain-openai==1.7.4 \
    langchain-anthropic==1.7.10 openai==3.57.0 anthropic==2.14.0 openai-agents==0.24.0
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" @anthropic-ai/sdk@1.14.0 openai@7.59.0 >/dev/null

cat > ask.py <<'PYTHON'
import asyncio, sys

import agents, anthropic, openai
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

url = sys.argv[1]
ASKED = [{"role": "user", "content": "Pay ada what we owe her."}]
SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}, "amount": {"type": "integer"}}, "required": ["to", "amount"]}
paid = []


def pay(to: str, amount: int) -> str:
    """Pay somebody."""
    paid.append(amount)
    return "paid"


def with_anthropic():
    client = anthropic.Anthropic(api_key="none", base_url=url, max_retries=0)
    tools = [{"name": "pay", "input_schema": SCHEMA}]
    with client.messages.stream(model="m", max_tokens=99, messages=ASKED, tools=tools) as stream:
        return stream.get_final_message().content[0].input


def with_openai():
    client = openai.OpenAI(api_key="none", base_url=url, max_retries=0)
    tools = [{"type": "function", "function": {"name": "pay", "parameters": SCHEMA}}]
    with client.chat.completions.stream(model="m", messages=ASKED, tools=tools) as stream:
        return stream.get_final_completion().choices[0].message.tool_calls[0].function.arguments


def with_openai_agents():
    agents.set_tracing_disabled(True)
    model = agents.OpenAIChatCompletionsModel("m", openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0))
    agent = agents.Agent(name="clerk", tools=[agents.function_tool(pay)], model=model)

    async def run():
        result = agents.Runner.run_streamed(agent, "x")
        async for _ in result.stream_events():
            pass
        return result.final_output

    return f"paid {paid}, said {asyncio.run(run())}"


def with_langchain(model):
    said = create_agent(model, [pay]).invoke({"messages": ASKED})["messages"][-1].text
    return f"paid {paid}, said {said}"


for library, ask in {
    "anthropic": with_anthropic,
    "openai": with_openai,
    "openai-agents": with_openai_agents,
    "langchain-openai": lambda: with_langchain(ChatOpenAI(model="m", api_key="none", base_url=url, max_retries=0, streaming=True)),
    "langchain-anthropic": lambda: with_langchain(ChatAnthropic(model="m", api_key="none", base_url=url, max_retries=0, streaming=True)),
}.items():
    paid.clear()
    try:
        told = ask()
    except Exception as error:
        told = type(error).__name__
    print(library, told, sep="\t")
PYTHON

cat > ask.mjs <<'JAVASCRIPT'
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const url = process.argv[2];
const messages = [{ role: "user", content: "Pay ada what we owe her." }];
const parameters = { type: "object", properties: { to: { type: "string" }, amount: { type: "integer" } }, required: ["to", "amount"] };
const options = { apiKey: "none", baseURL: url, maxRetries: 0 };
const calls = {
  "@anthropic-ai/sdk": () =>
    new Anthropic(options).messages.stream({ model: "m", max_tokens: 99, messages, tools: [{ name: "pay", input_schema: parameters }] }).finalMessage(),
  "openai for Node": () =>
    new OpenAI(options).chat.completions
      .stream({ model: "m", messages, tools: [{ type: "function", function: { name: "pay", parameters } }] })
      .finalChatCompletion(),
};
for (const [library, call] of Object.entries(calls)) {
  let told;
  try {
    told = await call();
  } catch (error) {
    told = error.constructor.name;
  }
  console.log(library + "\t" + (typeof told === "string" ? told : JSON.stringify(told)));
}
JAVASCRIPT

cat > try.py <<'PYTHON'
import http.server, json, subprocess, sys, threading

HALF = ['{"to": "ada", ', '"amount": 10']


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm', 'choices': [choice]})}\n\n"


def event(type, **members):
    return f"event: {type}\ndata: {json.dumps({'type': type, **members})}\n\n"


def call(index, **function):
    return {"tool_calls": [{"index": 0, "function": function} | ({} if index else {"id": "t1", "type": "function"})]}


START = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None, "stop_sequence": None,
         "usage": {"input_tokens": 1, "output_tokens": 1}}
OPENAI = {
    "half": chunk({"role": "assistant", "content": None, **call(0, name="pay", arguments="")})
    + "".join(chunk(call(1, arguments=part)) for part in HALF),
    "done": chunk({"role": "assistant", "content": "done"}) + chunk({}, "stop") + "data: [DONE]\n\n",
}
ANTHROPIC = {
    "half": event("message_start", message=START)
    + event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t1", "name": "pay", "input": {}})
    + "".join(event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": part}) for part in HALF),
    "done": event("message_start", message=START)
    + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + event("content_block_delta", index=0, delta={"type": "text_delta", "text": "done"})
    + event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 1})
    + event("message_stop"),
}


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = ANTHROPIC if self.path.endswith("/messages") else OPENAI
        content = answers["done" if len(asked["messages"]) > 1 else "half"].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
EXPECTED = """\
anthropic\t{'to': 'ada', 'amount': 10}
openai\t{"to": "ada", "amount": 10
openai-agents\tpaid [], said done
langchain-openai\tpaid [10], said done
langchain-anthropic\tpaid [10], said done
@anthropic-ai/sdk\tAnthropicError
openai for Node\tOpenAIError
"""
told = ""
for program in (["venv/bin/python", "ask.py"], ["node", "ask.mjs"]):
    told += subprocess.run([*program, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60).stdout
print(told, end="")
sys.exit(told != EXPECTED)
PYTHON
python3 try.py
