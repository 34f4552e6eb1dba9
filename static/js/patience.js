/** Trying again what may succeed a little later. */

import { ApiError } from "./api.js";

const FIRST_WAIT = 500; // milliseconds, doubled from try to try
const LONGEST_WAIT = 30_000;
const TRIES = 8; // of a server that answers, but badly; a connection that is away is waited for without end

/**
 * What `act` gives, once it succeeds. Only what may pass is tried again.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @param {{signal: AbortSignal, onTrouble: (error: ApiError) => void}} options
 * @returns {Promise<T>}
 */
export async function persist(act, { signal, onTrouble }) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      const hopeless = error.status !== 0 && failures >= TRIES;
      if (!(error instanceof ApiError) || !error.isPassing || hopeless) throw error;
      onTrouble(error);
      await wait(Math.max(backoff(failures), error.retryAfter * 1000), signal);
      await online(signal);
    }
  }
}

/** Doubling, and anywhere in the upper half of it: clients that failed together do not come back together. */
function backoff(failures) {
  const longest = Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT);
  return longest * (0.5 + Math.random() / 2);
}

function wait(milliseconds, signal) {
  return until(signal, (done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  });
}

function online(signal) {
  if (navigator.onLine) return Promise.resolve();
  return until(signal, (done) => {
    addEventListener("online", done, { once: true });
    return () => removeEventListener("online", done);
  });
}

/** Resolves when `begin` says so, rejects when the signal comes first; then what it began is ended. */
function until(signal, begin) {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      end();
      reject(signal.reason);
    };
    const end = begin(() => {
      signal.removeEventListener("abort", onAbort);
      resolve(undefined);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
