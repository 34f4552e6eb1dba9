/** The one stream of events that a page listens to. */

import { api } from "./api.js";

const LONGEST_WAIT = 30_000;

/**
 * Hear of every change of the user's jobs.
 *
 * @param {object} handlers
 * @param {(job: any) => void} handlers.onJob the whole job, as it is now
 * @param {() => void} handlers.onOpen (re)connected: what happened in between has to be looked up
 * @returns {{close: () => void}}
 */
export function watchJobs({ onJob, onOpen }) {
  const url = document.body.dataset.events;
  /** @type {EventSource | null} */
  let source = null;
  let failures = 0;
  let timer = 0;

  const open = () => {
    close();
    source = new EventSource(url);
    source.addEventListener("open", () => {
      failures = 0;
      onOpen();
    });
    source.addEventListener("job", (event) => onJob(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      // A browser comes back by itself after a lost connection, but not after an answer that is no stream.
      if (source?.readyState === EventSource.CLOSED) comeBack();
    });
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const comeBack = () => {
    close();
    failures += 1;
    timer = setTimeout(open, Math.min(1000 * 2 ** failures, LONGEST_WAIT));
    // An EventSource does not say why. If it is the session, this leads to the sign-in page.
    api("GET", document.body.dataset.jobs).catch(() => {});
  };
  // Over HTTP/1.1 a browser has six connections to a server for all its tabs: one that nobody sees gives its own back.
  const followTab = () => (document.hidden ? close() : open());

  document.addEventListener("visibilitychange", followTab);
  followTab();
  return {
    close() {
      document.removeEventListener("visibilitychange", followTab);
      close();
    },
  };
}
