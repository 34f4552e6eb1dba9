/**
 * Remembers, over a reload, which uploads are not finished. A page can't keep the file itself: the user has to choose
 * it again, and the server says what it has of it.
 */

/** @typedef {{id: string, name: string, size: number, lastModified: number, merging?: boolean}} Unfinished */

const KEY = `jointo.uploads.${document.body.dataset.user}`;

/** @returns {Unfinished[]} */
export function all() {
  try {
    return Object.values(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return []; // no storage, or somebody else's words in it: then there is nothing to remember
  }
}

/** @param {Unfinished} upload */
export function remember(upload) {
  write([...all().filter(({ id }) => id !== upload.id), upload]);
}

/** @param {string} id */
export function forget(id) {
  write(all().filter((upload) => upload.id !== id));
}

/** Keep other tabs from offering an upload that this one is at; returns what ends that. @param {string} id */
export function hold(id) {
  let release = () => {};
  const over = new Promise((resolve) => (release = () => resolve(undefined)));
  navigator.locks?.request(`${KEY}.${id}`, () => over);
  return release;
}

/** Wait until no other tab is at an upload; whether it is unfinished even then. @param {string} id */
export async function isLeftOver(id) {
  await navigator.locks?.request(`${KEY}.${id}`, () => {});
  return all().some((upload) => upload.id === id);
}

/** Whether this is the file that was being uploaded, as far as a browser can say. */
export function isSame(/** @type {Unfinished} */ upload, /** @type {File} */ file) {
  return upload.name === file.name && upload.size === file.size && upload.lastModified === file.lastModified;
}

function write(uploads) {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(uploads.map((upload) => [upload.id, upload]))));
  } catch {
    // a full or forbidden storage costs no more than the memory
  }
}
