/** The chunk protocol: one function for each thing that a client says. What went wrong is told as ApiError. */

import { api } from "./api.js";
import { sendChunk } from "./chunks.js";
import * as unfinished from "./unfinished.js";

/**
 * An upload as the server sees it.
 * @typedef {object} Begun
 * @property {string} id
 * @property {string} token good for its chunks and its merge, whatever becomes of the session
 * @property {number} chunk_size in bytes; the last chunk has the rest
 * @property {number} chunks_total
 * @property {[number, number][]} received first and last index of what is there
 */

const UPLOADS = document.body.dataset.uploads ?? "";
const MERGE = document.body.dataset.merge ?? "";

/**
 * Begin an upload, or go on with an unfinished one of the same file.
 * @param {File} file
 * @param {string | null} hash as far as it is known
 * @param {AbortSignal} signal
 * @returns {Promise<any>} a Begun, or {instant, video} if the user has the file already
 */
export function begin({ name, size, lastModified }, hash, signal) {
  const wish = { file_name: plain(name), file_size: size, purpose: "video", last_modified: lastModified };
  return api("POST", UPLOADS, { ...wish, ...known(hash) }, { signal });
}

/**
 * Send one chunk.
 * @param {Begun} begun
 * @param {number} index
 * @param {Blob} blob
 * @param {{signal: AbortSignal, onProgress: (bytes: number) => void}} options
 */
export function put({ id, token }, index, blob, options) {
  return sendChunk(`${UPLOADS}${id}/chunks/${index}/`, blob, { token, ...options });
}

/**
 * Say that everything has been sent; asked twice, the answer is the same.
 * @param {string} name
 * @param {Begun} begun
 * @param {string | null} hash
 * @param {AbortSignal} [signal]
 * @returns {Promise<{video: any}>}
 */
export function merge(name, { id, token, chunks_total }, hash, signal) {
  const said = { upload_id: id, file_name: plain(name), chunks_total, ...known(hash) };
  return api("POST", MERGE, said, { signal, headers: { "Upload-Token": token } });
}

/** Remove what the server has of an upload that is not finished. @param {string} id */
export async function discard(id) {
  unfinished.forget(id);
  // Gone already, or merged after all, is as good; and what nobody removes expires.
  await api("DELETE", `${UPLOADS}${id}/`).catch(() => {});
}

/**
 * What the server has of an upload that this browser remembers.
 *
 * Nothing is left to send if all of it had arrived before the page was left: then it is merged, without the file.
 * @param {unfinished.Unfinished} upload
 * @returns {Promise<{share: number} | {video: any} | null>} null: nothing any more
 */
export async function lookUp(upload) {
  let share = 0;
  try {
    const there = await api("GET", `${UPLOADS}${upload.id}/`);
    share = 1 - missing(there).length / there.chunks_total;
    if (share < 1 && !upload.merging) return { share };
    const { video } = await merge(upload.name, there, null);
    unfinished.forget(upload.id);
    return { video };
  } catch (error) {
    if (error.isPassing || error.code === "chunk_missing") return { share };
    unfinished.forget(upload.id);
    return null;
  }
}

/** The indices of the chunks that the server does not have. @param {Begun} begun */
export function missing({ chunks_total, received }) {
  const there = new Set();
  for (const [first, last] of received) for (let index = first; index <= last; index += 1) there.add(index);
  return Array.from({ length: chunks_total }, (_, index) => index).filter((index) => !there.has(index));
}

/** The bytes of one chunk. @param {File} file @param {Begun} begun @param {number} index */
export function piece(file, { chunk_size }, index) {
  return file.slice(index * chunk_size, (index + 1) * chunk_size);
}

function known(hash) {
  return hash ? { file_hash: hash } : {};
}

/** A file name as the API takes it: some systems allow what would be a separator elsewhere. */
function plain(name) {
  return name.replace(/[\\/\x00-\x1f\x7f]/g, "_").slice(-255) || "_";
}
