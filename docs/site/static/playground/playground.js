// The playground: reads the text area, has relogin explain it, and draws what it says.

const EXAMPLES = {
  "missing commas": 'Bearer realm="orders" error="invalid_token" error_description="The token expired"',
  "single quotes": "Bearer realm='Orders API', error='invalid_token'",
  "two schemes": 'Basic realm="orders", Session realm="orders", error="session_expired"',
  "curl -i": `HTTP/1.1 401 Unauthorized
Content-Type: application/json
WWW-Authenticate: Bearer resource_metadata=https://api.example.com/metadata

{"message": "Unauthorized"}`,
}

const here = (name) => new URL(name, import.meta.url)

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

async function load() {
  const { loadPyodide } = await import(here("pyodide.mjs").href)
  const [python, code, script] = await Promise.all([
    loadPyodide({ indexURL: here(".").href }),
    fetch(here("code.zip")).then((response) => response.arrayBuffer()),
    fetch(here("explained.py")).then((response) => response.text()),
  ])
  python.unpackArchive(code, "zip", { extractDir: "/code" })
  python.runPython('import sys; sys.path.insert(0, "/code")')
  python.runPython(script)
  return (text) => JSON.parse(python.globals.get("explained")(text))
}

function drawChallenge({ scheme, params }) {
  const rows = params.map(([name, value]) =>
    make("tr", {}, make("th", {}, name), make("td", {}, make("code", {}, value))))
  return make("div", { className: "challenge" }, make("strong", {}, scheme),
    rows.length ? make("table", {}, make("tbody", {}, ...rows)) : "")
}

function drawFault({ kind, section, sentence, drawing }) {
  return make("div", { className: section ? "fault" : "fault remark" },
    make("p", {}, make("strong", {}, kind), section ? ` (${section})` : " (allowed, but probably not meant)"),
    drawing ? make("pre", {}, drawing) : "",
    make("p", {}, sentence))
}

function drawFinding({ name, faults, remarks, challenges }) {
  const meant = challenges.map(({ text }) => text).join(",\n")
  return [
    make("h3", {}, name),
    ...(faults.length
      ? faults.map(drawFault)
      : [make("p", { className: "sound" }, "This header is well-formed.")]),
    ...remarks.map(drawFault),
    ...(faults.length && meant ? [make("p", {}, "Probably meant:"), make("pre", {}, meant)] : []),
    ...(challenges.length ? challenges.map(drawChallenge)
      : faults.length ? [] : [make("p", {}, "It holds no challenge.")]),
  ]
}

function drawResponse({ status, findings, reaction }) {
  return make("section", {},
    ...(status ? [make("h2", {}, `Response ${status}`)] : []),
    ...findings.flatMap(drawFinding),
    make("h3", {}, "What SessionAuth does"),
    make("p", { className: "reaction" }, reaction))
}

function drawResponses(responses) {
  return responses.length ? responses.map(drawResponse)
    : [make("p", {}, "There is no WWW-Authenticate header in this text.")]
}

function build(root) {
  const input = make("textarea", { id: "field", rows: 6, spellcheck: false, autocapitalize: "off",
    placeholder: 'WWW-Authenticate: Bearer realm="orders", error="invalid_token"' })
  const label = make("label", { htmlFor: "field" }, "A header, or a whole response")
  const result = make("div", { id: "result", ariaLive: "polite" }, "Loading Python …")
  const link = make("button", { type: "button", className: "link" }, "Copy a link to this")
  const examples = Object.entries(EXAMPLES).map(([name, text]) =>
    make("button", { type: "button", onclick: () => { input.value = text; input.oninput() } }, name))
  root.replaceChildren(label, input,
    make("p", { className: "examples" }, "Try: ", ...examples, link), result)
  return { input, result, link }
}

function fromAddress() {
  const [, written] = location.hash.match(/^#field=(.*)$/) ?? []
  try { return written === undefined ? null : decodeURIComponent(written) } catch { return null }
}

async function start() {
  const { input, result, link } = build(document.getElementById("playground"))
  let explain = null
  const draw = () => {
    link.hidden = !input.value
    if (!explain) return
    const text = input.value
    try {
      result.replaceChildren(...(text.trim() ? drawResponses(explain(text)) : []))
    } catch (error) {
      result.textContent = `This could not be explained: ${error.message}`
    }
  }
  input.oninput = () => {
    const written = input.value ? `#field=${encodeURIComponent(input.value)}` : "#"
    history.replaceState(null, "", written)
    draw()
  }
  link.onclick = async () => {
    await navigator.clipboard.writeText(location.href)
    link.textContent = "Copied"
    setTimeout(() => { link.textContent = "Copy a link to this" }, 1500)
  }
  const read = () => { const text = fromAddress(); if (text !== null) { input.value = text; draw() } }
  addEventListener("hashchange", read)
  draw()
  read()
  try {
    explain = await load()
    result.dataset.ready = "yes"
    result.replaceChildren()
    draw()
  } catch (error) {
    result.textContent = `Python could not be loaded: ${error.message}`
  }
}

start()
