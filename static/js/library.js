/** The library: what is there, what is on its way, and what is being made of it. */

import { Cards, offerUndo } from "./cards.js";
import { watchJobs } from "./live.js";
import { Uploads } from "./uploads.js";

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

const cards = new Cards(element("cards"), JSON.parse(element("videos").textContent ?? "[]"));
new Uploads(element("drop"), element("uploads"), (video) => cards.show(video));
watchJobs({ onJob: (job) => cards.onJob(job), onOpen: () => cards.refreshWorking() });
offerUndoOfLastPage();

/** A video that was deleted on its own page: undo is offered here, where one is led then. */
function offerUndoOfLastPage() {
  const deleted = sessionStorage.getItem("jointo.deleted");
  if (!deleted) return;
  sessionStorage.removeItem("jointo.deleted");
  offerUndo(JSON.parse(deleted), (video) => cards.show(video));
}
