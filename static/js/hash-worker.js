/** Worker: the SHA-256 of a file of any size, piece by piece. Gets a File; posts {done} as it goes, then {hash}. */

import "../vendor/hash-wasm/sha256.umd.min.js";

const PIECE = 4 * 2 ** 20;
const { createSHA256 } = globalThis.hashwasm;

addEventListener("message", async ({ data: file }) => {
  try {
    postMessage({ hash: await hash(file) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});

/** @param {File} file */
async function hash(file) {
  const sha256 = await createSHA256();
  sha256.init();
  for (let start = 0; start < file.size; start += PIECE) {
    sha256.update(new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer()));
    postMessage({ done: Math.min(start + PIECE, file.size) });
  }
  return sha256.digest("hex");
}
