// Small things that the scripts of several pages need.

/**
 * The data block of this id, as the server wrote it.
 * @param {string} id
 * @returns {any}
 */
export function pageData(id) {
  return JSON.parse(document.getElementById(id)?.textContent || "{}");
}

/**
 * An element by id that the page is known to have.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * An element with class, text and children.
 * @param {string} name
 * @param {{class?: string, text?: string, lang?: string}} [about]
 * @param {...Node} children
 * @returns {any}
 */
export function element(name, about = {}, ...children) {
  const made = document.createElement(name);
  if (about.class) made.className = about.class;
  if (about.text !== undefined) made.textContent = about.text;
  if (about.lang) made.lang = about.lang;
  made.append(...children);
  return made;
}

/**
 * Posts JSON to this hub with the reader's own cookie.
 * @param {string} url
 * @param {unknown} body
 * @returns {Promise<any>} the answer; throws an Error whose message a person may read
 */
export async function postJson(url, body) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return readAnswer(answer);
}

/**
 * Reads a JSON answer; a problem document (RFC 9457) becomes an Error with its detail.
 * @param {Response} answer
 */
export async function readAnswer(answer) {
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(said?.detail || said?.title || String(answer.status));
  return said;
}

/**
 * Seconds as 00:14:32.
 * @param {number} seconds
 */
export function clockFace(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const part = (value) => String(value).padStart(2, "0");
  return `${part(Math.floor(whole / 3600))}:${part(Math.floor(whole / 60) % 60)}:${part(whole % 60)}`;
}
