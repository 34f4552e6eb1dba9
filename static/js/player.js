/** The page of one video: the work for it until it is ready, then the player. */

import { api } from "./api.js";
import { watchJobs } from "./live.js";
import { play } from "./playback.js";
import { formatBytes, formatDate, formatDuration, t } from "./texts.js";
import { announce, toast } from "./toast.js";
import { errorOfVideo, isActive, isOlder, mayRetry, showProgress, statusWord, stepOf, videoOf } from "./work.js";

const page = /** @type {HTMLElement} */ (document.getElementById("video-page"));
const part = (/** @type {string} */ name) => /** @type {any} */ (page.querySelector(`[data-part="${name}"]`));

let video = JSON.parse(document.getElementById("video")?.textContent ?? "{}");
/** @type {ReturnType<typeof watchJobs> | null} */ let watching = null;
let playing = false;

show(video);
page.addEventListener("click", onClick);
part("rename").addEventListener("submit", onRename);
part("rename").addEventListener("keydown", (event) => {
  if (event.key === "Escape") endRenaming();
});

function show(now) {
  if (now.status !== video.status) announce(statusWord(now));
  video = now;
  page.dataset.status = video.status;
  showTitle();
  showWork();
  showFacts();
  showRenditions();
  if (video.status === "ready") showPlayer();
  follow();
}

function showTitle() {
  part("title").textContent = video.title;
  document.title = `${video.title} · Jointo`;
}

function showWork() {
  part("step").textContent = stepOf(video.job);
  showProgress(part("progress"), video.job);
  part("error").textContent = errorOfVideo(video) || statusWord(video);
  page.querySelector('[data-action="retry"]').hidden = !mayRetry(video);
}

function showFacts() {
  part("status").textContent = statusWord(video);
  const facts = [
    video.duration && formatDuration(video.duration),
    video.width && `${video.width} × ${video.height}`,
    t("original", { size: formatBytes(video.source_size) }),
    formatDate(video.created_at),
  ];
  part("facts").textContent = facts.filter(Boolean).join(" · ");
}

async function showPlayer() {
  if (playing) return;
  playing = true;
  const element = part("player");
  element.hidden = false;
  if (video.poster_url) element.poster = video.poster_url;
  showChoices(await play(element, video, { autoLabel: t("qualityAuto"), onLevel: showLevel }));
}

function showChoices({ choices, choose, chosen }) {
  const menu = part("quality");
  menu.replaceChildren(...choices.map(({ value, label }) => new Option(label, value)));
  if (chosen) menu.value = chosen;
  menu.addEventListener("change", () => choose(menu.value));
  part("quality-label").hidden = choices.length === 0;
}

/** Beside "auto": what that is just now. */
function showLevel(name) {
  const menu = part("quality");
  if (menu.length) menu.options[0].text = menu.value === "auto" ? t("qualityAutoNow", { name }) : t("qualityAuto");
}

function showRenditions() {
  const rows = video.renditions.map((rung) => {
    const row = part("rung").content.firstElementChild.cloneNode(true);
    const cell = (/** @type {string} */ name) => row.querySelector(`[data-part="${name}"]`);
    cell("name").textContent = rung.width ? rung.name : t("sound");
    cell("size").textContent = rung.width ? `${rung.width} × ${rung.height}` : "";
    cell("bytes").textContent = formatBytes(rung.bytes);
    const link = cell("download");
    link.href = rung.url;
    link.download = `${video.title} ${rung.name}.mp4`;
    link.setAttribute("aria-label", `${link.textContent.trim()}: ${rung.name}`);
    return row;
  });
  part("rungs").replaceChildren(...rows);
  part("renditions").hidden = rows.length === 0;
}

/** Listen as long as there is something to hear. */
function follow() {
  const needed = isActive(video.job) && video.status !== "ready";
  if (needed) watching ??= watchJobs({ onJob, onOpen: refresh });
  else {
    watching?.close();
    watching = null;
  }
}

function onJob(job) {
  if (videoOf(job) !== video.id) return;
  if (isActive(job) && job.id === video.job?.id && video.status === "processing") show({ ...video, job });
  else refresh();
}

async function refresh() {
  await attempt(async () => {
    const now = await api("GET", video.urls.self);
    if (!isOlder(now, video)) show(now);
  });
}

const ACTIONS = {
  cancel: () => actOnJob("cancel"),
  retry: () => actOnJob("retry"),
  rename: beginRenaming,
  "stop-renaming": endRenaming,
  delete: remove,
};

async function onClick(event) {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  button.disabled = true;
  await attempt(ACTIONS[button.dataset.action]);
  button.disabled = false;
}

async function actOnJob(action) {
  await api("POST", video.job.urls[action]);
  await refresh();
}

/** Deletes, and offers undo where the user finds themselves then. */
async function remove() {
  await api("DELETE", video.urls.self);
  const { title, urls } = video;
  sessionStorage.setItem("jointo.deleted", JSON.stringify({ title, urls }));
  location.assign(document.body.dataset.library);
}

function beginRenaming() {
  page.classList.add("renaming");
  part("new-title").value = video.title;
  part("new-title").focus();
  part("new-title").select();
}

function endRenaming() {
  page.classList.remove("renaming");
  page.querySelector('[data-action="rename"]').focus();
}

async function onRename(event) {
  event.preventDefault();
  await attempt(async () => {
    show(await api("PATCH", video.urls.self, { title: part("new-title").value }));
    endRenaming();
  });
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    toast(error.message);
  }
}
