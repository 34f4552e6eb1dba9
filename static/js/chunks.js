/** Sending one chunk. */

import { ApiError, errorOf, noAnswer } from "./api.js";

const STALLED = 60_000; // milliseconds without a sign of life, for example after the laptop slept

/**
 * PUT the bytes of one chunk, with their digest.
 *
 * @param {string} url
 * @param {Blob} blob
 * @param {object} options
 * @param {string} options.token of the upload
 * @param {AbortSignal} options.signal
 * @param {(bytes: number) => void} options.onProgress how much of it has left
 * @throws {ApiError} @throws {DOMException} when the file can't be read any more
 */
export async function sendChunk(url, blob, { token, signal, onProgress }) {
  const bytes = await blob.arrayBuffer();
  const headers = { "Upload-Token": token, "Content-Type": "application/octet-stream" };
  const digest = await digestOf(bytes);
  if (digest) headers["Content-Digest"] = digest;
  signal.throwIfAborted();
  await put(url, bytes, headers, { signal, onProgress });
}

/** RFC 9530; null where the browser has no crypto.subtle, which is on plain http beyond this machine. */
async function digestOf(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/** XMLHttpRequest, because fetch does not tell how much it has sent. */
function put(url, bytes, headers, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    let timer = setTimeout(abort, STALLED);
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      clearTimeout(timer);
      timer = setTimeout(abort, STALLED);
      onProgress(event.loaded);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (request.status >= 200 && request.status < 300) resolve(undefined);
      else reject(signal.aborted ? signal.reason : refusal(request));
    };
    signal.addEventListener("abort", abort, { once: true });
    request.send(bytes);
  });
}

function refusal(request) {
  if (request.status === 0) return noAnswer();
  const error = errorOf(request.status, request.responseText, request.getResponseHeader("Retry-After"));
  // The bytes were changed on their way: sending them again is the remedy, so it counts as nothing arrived.
  if (error.code === "checksum_mismatch") return new ApiError(502, error.code, error.message);
  return error;
}
