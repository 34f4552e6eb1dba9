/** The checksum of a whole file, computed beside everything else. */

/**
 * Begin to hash a file in a worker.
 *
 * `result` gives "sha256:…", or null if the browser can't: then the server's checks of each chunk have to do.
 * @param {File} file
 * @param {(share: number) => void} onProgress from 0 to 1
 * @returns {{result: Promise<string | null>, end: () => void}}
 */
export function hashFile(file, onProgress) {
  const worker = new Worker(new URL("./hash-worker.js", import.meta.url), { type: "module" });
  let end = () => {};
  const result = new Promise((resolve) => {
    const settle = (/** @type {string | null} */ hash) => {
      worker.terminate();
      resolve(hash);
    };
    end = () => settle(null);
    worker.onmessage = ({ data }) => {
      if (data.done) onProgress(data.done / file.size);
      else settle(data.hash ? `sha256:${data.hash}` : null);
    };
    worker.onerror = () => settle(null);
    worker.postMessage(file);
  });
  return { result, end };
}
