/** What a video's job is at, in words; for the cards and the video's own page. */

import { formatPercent, maybe, t } from "./texts.js";

/** Errors that say something about the file itself: the same again would end the same. */
const ABOUT_THE_FILE = /^(not_a_video|media_|checksum_mismatch|source_gone)/;

/** The id of the video that a job works for, or null. */
export function videoOf(job) {
  const [kind, id] = (job.subject ?? "").split(":");
  return kind === "videos.Video" && id ? Number(id) : null;
}

export function isActive(job) {
  return ["pending", "processing", "retrying"].includes(job?.status);
}

/** Whether an answer is overtaken by what is shown: events may come before answers that were asked earlier. */
export function isOlder(video, shown) {
  const same = video.job && video.job.id === shown?.job?.id;
  return Boolean(same) && Date.parse(video.job.updated_at) < Date.parse(shown.job.updated_at);
}

/** @param {any} job */
export function stepOf(job) {
  if (!job || job.status === "pending") return t("workWaiting");
  if (job.status === "retrying") return t("workRetrying");
  const step = maybe(`step${capital(job.message.split(" ")[0])}`) ?? job.message;
  return job.percent > 0 ? `${step} · ${formatPercent(job.percent)}` : step || t("workStarting");
}

/** Show a job's progress; without a figure the bar only says that something goes on. */
export function showProgress(bar, job) {
  if (job?.percent > 0) bar.value = job.percent;
  else bar.removeAttribute("value");
}

export function statusWord(video) {
  return t(`status${capital(video.status)}`);
}

export function mayRetry(video) {
  const ended = video.status === "failed" || video.status === "cancelled";
  return ended && Boolean(video.job) && !ABOUT_THE_FILE.test(video.error?.code ?? "");
}

export function errorOfVideo(video) {
  return video.status === "failed" ? (video.error?.message ?? t("errorUnknown")) : "";
}

function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
