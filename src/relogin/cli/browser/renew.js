// What a page needs to outlive its session: fetch, but a 401 that says why is answered with one
// login for all the calls in flight, and each is then sent again. Copy this file and strict.js.
//
//     import { renewing } from "./renew.js"
//     const api = renewing(async (reason) => showLoginForm(reason))
//     const response = await api("/orders")
//
// `login` is given the challenge, as {realm, error, error_description}, and resolves to the name of
// whoever logged in, or to null for nobody. `user` is who is logged in when the page is loaded, and
// `origin` whose answers count, if they do not come from where the page does.

import { parseChallenges } from "./strict.js"

/**
 * @typedef {{realm?: string, error?: string, error_description?: string} & Record<string, string>} Reason
 *
 * @param {(reason: Reason) => string | null | Promise<string | null>} login
 * @param {{user?: string | null, origin?: string}} options
 * @returns {typeof fetch}
 */
export function renewing(login, { user = null, origin = location.origin } = {}) {
  let logins = 0 // tells an answer to an older session from one to the session that is there now
  /** @type {Promise<boolean> | null} */
  let renewal = null

  /** @param {Reason} reason */
  function renewed(reason) {
    renewal ??= Promise.resolve(login(reason))
      .then((name) => {
        user = name ?? user
        logins += Number(name !== null)
        return name !== null
      })
      .finally(() => { renewal = null })
    return renewal
  }

  return async function api(resource, options) {
    const request = new Request(resource, options)
    const begunBy = user
    // What one person began is not sent again in another's name.
    const isMine = () => begunBy === null || begunBy === user
    let mayLead = true
    for (let replays = 0; ; replays++) {
      const loginsBefore = logins
      const response = await fetch(request.clone())
      // A stranger's 401 is no reason to ask for a login.
      if (response.status !== 401 || new URL(response.url || request.url).origin !== origin) return response
      const reason = sessionChallenge(response.headers.get("WWW-Authenticate"))
      if (!reason || replays === 2 || !isMine()) return response
      if (logins !== loginsBefore) continue // a late answer: somebody has logged in meanwhile
      // Ended on purpose: a login by itself would only end the session that took over.
      if (reason.error === "session_revoked") return response
      if (renewal === null && !mayLead) return response // the login it led was in vain
      mayLead &&= renewal !== null
      if (!(await renewed(reason)) || !isMine()) return response
    }
  }
}

/**
 * The parameters of the first Session challenge of a WWW-Authenticate field, or null.
 *
 * @param {string | null} field
 * @returns {Reason | null}
 */
export function sessionChallenge(field) {
  const challenge = readable(field ?? "").find(({ scheme, token68 }) =>
    scheme.toLowerCase() === "session" && token68 === null)
  // Some servers quote with single quotes (SPEC.md, C-3).
  return challenge ? Object.fromEntries(challenge.params.map(([name, value]) =>
    [name, value.replace(/^'(.*)'$/, "$1")])) : null
}

// Firefox joins the lines of a field with line feeds. One that is malformed hides no other (C-14).
/** @param {string} field */
const readable = (field) => field.split("\n").flatMap((line) => {
  try { return parseChallenges([line]) } catch { return [] }
})
