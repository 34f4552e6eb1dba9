/** Jointo's API, asked as the user who is signed in by session. */

import { t } from "./texts.js";

/** What the API refused, with its code and its sentence; status 0: nobody answered. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {{details?: object, retryAfter?: number}} [more] retryAfter in seconds, where the server said so
   */
  constructor(status, code, message, { details = {}, retryAfter = 0 } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may well succeed a little later. */
  get isPassing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/**
 * The error that an answer tells of; a proxy's answer in between may be no JSON at all.
 * @param {number} status
 * @param {string} text
 * @param {string | null} retryAfter
 */
export function errorOf(status, text, retryAfter) {
  let said = {};
  try {
    said = JSON.parse(text).error ?? {};
  } catch {
    // said stays empty: the sentence below has to do
  }
  const message = said.message ?? t("errorStatus", { status });
  return new ApiError(status, said.code ?? "error", message, {
    details: said.details,
    retryAfter: Number(retryAfter) || 0,
  });
}

/** Nobody answered: the connection, or the server, is away. */
export function noAnswer() {
  return new ApiError(0, "no_answer", t("errorNoAnswer"));
}

/**
 * Send JSON, get JSON; null for an answer without content.
 *
 * Without a valid session the page goes to the sign-in page, and comes back afterwards.
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function api(method, url, body, { headers = {}, signal } = {}) {
  const answer = await ask(method, url, body, headers, signal);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const error = errorOf(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  if (isSignedOut(error)) goToSignIn();
  throw error;
}

async function ask(method, url, body, headers, signal) {
  const all = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  try {
    return await fetch(url, { method, headers: all, body: JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noAnswer();
  }
}

/** An upload's own token that is not valid any more says nothing about the session. */
function isSignedOut(error) {
  return error.status === 403 || (error.status === 401 && !error.code.startsWith("upload_token"));
}

/** @type {() => boolean} */
let mayLeave = () => true;

/** Have a page with unfinished business stay, even if the session has ended. @param {() => boolean} check */
export function leaveOnlyIf(check) {
  mayLeave = check;
}

function goToSignIn() {
  if (!mayLeave()) return;
  const here = encodeURIComponent(location.pathname + location.search);
  location.assign(`${document.body.dataset.signIn}?next=${here}`);
}

/** From the cookie, not the page: signing in again in another tab changes it. */
function csrfToken() {
  const found = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
  return found ? decodeURIComponent(found[1]) : "";
}
