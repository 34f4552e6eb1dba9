/** The cards of the library: one for each video. Which parts show follows from data-status, in the style sheet. */

import { api } from "./api.js";
import { formatDate, formatDay, formatDuration, t } from "./texts.js";
import { announce, toast } from "./toast.js";
import { errorOfVideo, isActive, isOlder, mayRetry, showProgress, statusWord, stepOf, videoOf } from "./work.js";

export class Cards {
  /** @type {Map<number, any>} the videos that are shown, by id */ #videos = new Map();
  /** @type {Map<number, boolean>} videos that are being fetched, and whether once more */ #fetching = new Map();

  /**
   * @param {HTMLElement} grid
   * @param {any[]} videos those that the template has put there
   */
  constructor(grid, videos) {
    this.grid = grid;
    for (const video of videos) this.show(video);
    grid.addEventListener("click", (event) => this.#onClick(event));
  }

  /** Show a video as it is now; one that was not there before comes first. @param {any} video */
  show(video) {
    const before = this.#videos.get(video.id);
    this.#videos.set(video.id, video);
    const card = this.#card(video.id) ?? this.#add(video.id);
    fill(card, video);
    if (before && before.status !== video.status) announce(`${video.title}: ${statusWord(video)}`);
  }

  /** Something about a job has changed. @param {any} job */
  onJob(job) {
    const id = videoOf(job);
    if (id === null) return;
    const video = this.#videos.get(id);
    const works = video?.status === "processing" && video.job?.id === job.id;
    if (works && isActive(job)) this.show({ ...video, job });
    else if (!video || video.job?.id !== job.id || video.job.updated_at !== job.updated_at) this.refresh(id);
  }

  /** Look up what may have happened while nobody listened. */
  refreshWorking() {
    for (const video of this.#videos.values()) if (video.status === "processing") this.refresh(video.id);
  }

  /** @param {number} id */
  async refresh(id) {
    if (this.#fetching.has(id)) return this.#fetching.set(id, true); // the answer may be older than the reason
    this.#fetching.set(id, false);
    try {
      const video = await api("GET", `${document.body.dataset.videos}${id}/`);
      const elsewhere = !this.#videos.has(id) && this.grid.dataset.first === undefined;
      if (!video.deleted_at && !elsewhere && !isOlder(video, this.#videos.get(id))) this.show(video);
    } catch {
      // gone, or the line is away; the stream comes back, and then it is looked up again
    }
    const again = this.#fetching.get(id);
    this.#fetching.delete(id);
    if (again) await this.refresh(id);
  }

  #card(id) {
    return /** @type {HTMLElement | null} */ (this.grid.querySelector(`[data-video="${Number(id)}"]`));
  }

  #add(id) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("card"));
    const card = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    card.dataset.video = String(id);
    this.grid.prepend(card);
    return card;
  }

  async #onClick(event) {
    const button = event.target.closest("button[data-action]");
    const card = button?.closest("[data-video]");
    const video = card && this.#videos.get(Number(card.dataset.video));
    if (!video) return;
    button.disabled = true;
    try {
      if (button.dataset.action === "delete") await this.#delete(video, card);
      else await this.#act(video, button.dataset.action);
    } catch (error) {
      toast(error.message);
      this.refresh(video.id);
    } finally {
      button.disabled = false;
    }
  }

  /** Cancel or retry; the events tell the rest, but a click should not have to wait for them. */
  async #act(video, action) {
    await api("POST", video.job.urls[action]);
    await this.refresh(video.id);
  }

  async #delete(video, card) {
    await api("DELETE", video.urls.self);
    const following = card.nextElementSibling;
    this.#videos.delete(video.id);
    (following ?? card.previousElementSibling)?.querySelector("a")?.focus();
    card.remove();
    offerUndo(video, (restored) => {
      if (following?.parentElement === this.grid) following.before(card);
      else this.grid.append(card);
      this.show(restored);
      card.querySelector("a")?.focus();
    });
  }
}

/**
 * Say that a video was deleted, and let that be taken back.
 * @param {{title: string, urls: {restore: string}}} video
 * @param {(video: any) => void} onRestored
 */
export function offerUndo(video, onRestored) {
  const restore = async () => {
    try {
      onRestored(await api("POST", video.urls.restore));
    } catch (error) {
      toast(error.message);
    }
  };
  toast(t("deleted", { title: video.title }), { label: t("undo"), act: restore });
}

/** Everything that a user has written goes in as text, never as HTML. */
function fill(card, video) {
  const part = (/** @type {string} */ name) => card.querySelector(`[data-part="${name}"]`);
  card.dataset.status = video.status;
  part("link").href = document.body.dataset.page + `${video.id}/`;
  part("title").textContent = video.title;
  part("status").textContent = statusWord(video);
  part("date").textContent = formatDay(video.created_at);
  part("date").title = formatDate(video.created_at);
  part("date").dateTime = video.created_at;
  part("duration").textContent = video.duration ? formatDuration(video.duration) : "";
  part("error").textContent = errorOfVideo(video);
  part("step").textContent = stepOf(video.job);
  const bar = part("progress");
  showProgress(bar, video.job);
  bar.setAttribute("aria-label", t("progressOf", { title: video.title }));
  const poster = part("poster");
  if (video.poster_url && poster.getAttribute("src") !== video.poster_url) poster.src = video.poster_url;
  poster.hidden = !video.poster_url;
  const retry = card.querySelector('[data-action="retry"]');
  retry.hidden = !mayRetry(video);
  for (const button of card.querySelectorAll("button[data-action]")) {
    button.setAttribute("aria-label", `${button.dataset.label}: ${video.title}`);
  }
}
