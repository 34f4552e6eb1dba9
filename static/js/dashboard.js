// The operator's dashboard: asks for the numbers every two seconds, and shows what has changed.

import * as charts from "./dashboard-charts.js";
import { $, duration, fill, keep, language, last, make, put, settings, share, slots, texts, whole } from "./dashboard-words.js";

const SAMPLES = 150; // five minutes of the live chart

// -- tiles ------------------------------------------------------------------------------------------------

function tile(name, value, note, { tone = "", href = "" } = {}) {
  const box = document.querySelector(`[data-tile="${name}"]`);
  box.dataset.tone = tone;
  const place = box.querySelector(".dash-number");
  if (href && !place.querySelector("a")) place.replaceChildren(make("a", { href }));
  put(place.querySelector("a") ?? place, value);
  put(box.querySelector(".dash-note"), note);
}

function showTiles(report) {
  const { status, overall, workers, dead_letters: letters } = report;
  const alive = workers.filter((worker) => worker.alive);
  const places = alive.reduce((sum, worker) => sum + worker.concurrency, 0);
  const { completed, failed } = overall.ended;
  const typical = (times) => (times.n ? fill(texts.p95Note, { p95: duration(times.p95) }) : texts.nothingNote);
  const retrying = status.retrying ? fill(texts.retryingNote, { n: whole(status.retrying) }) : "";
  tile("waiting", whole(status.pending + status.retrying), retrying);
  tile("processing", whole(status.processing), fill(texts.placesNote, { places, workers: alive.length }), {
    tone: alive.length ? "" : "bad",
  });
  const rate = overall.success_rate;
  tile("success", share(rate), rate == null ? texts.nothingNote : fill(texts.endedNote, { completed: whole(completed), failed: whole(failed) }), {
    tone: rate == null || (rate < 0.98 && rate >= 0.9) ? "" : rate < 0.9 ? "bad" : "good",
  });
  tile("wait", duration(overall.waiting.p50), typical(overall.waiting));
  tile("run", duration(overall.running.p50), typical(overall.running));
  const open = `${whole(letters.open)}${letters.more ? "+" : ""}`;
  tile("letters", open, letters.open ? texts.lettersNote : texts.lettersNone, {
    tone: letters.open ? "bad" : "good",
    href: settings.urls.letters,
  });
}

// -- queues -----------------------------------------------------------------------------------------------

function queueRow() {
  const button = make("button", { type: "button", className: "dash-button", hidden: !settings.may_pause });
  const row = make(
    "tr",
    {},
    make("th", { scope: "row" }, make("a"), make("span", { className: "dash-badge" }, texts.paused)),
    make("td", {}, make("div", { className: "dash-slots" }, make("span"), make("small"))),
    make("td", {}, make("div", { className: "dash-level" }, make("b"), make("div", { className: "dash-track" }, make("i")))),
    make("td", { className: "dash-right" }),
    make("td", { className: "dash-right" }),
    make("td", {}, button),
  );
  button.addEventListener("click", () => change(row, button));
  return row;
}

function showQueues(queues) {
  const longest = Math.max(1, ...queues.map((queue) => queue.waiting));
  keep($("queues").tBodies[0], queues, "name", queueRow, (row, queue) => {
    row.classList.toggle("dash-paused", queue.paused);
    row.dataset.paused = queue.paused ? "yes" : "no";
    const link = row.querySelector("th a");
    link.href = `${settings.urls.jobs}?queue=${encodeURIComponent(queue.name)}`;
    put(link, queue.name);
    row.querySelector(".dash-badge").hidden = !queue.paused;
    const places = Math.max(queue.places, queue.processing);
    row.querySelector(".dash-slots span").replaceChildren(...slots(queue.processing, places));
    const words = { busy: whole(queue.processing), places: whole(queue.places) };
    put(row.querySelector("small"), places ? fill(texts.places, words) : texts.noPlaces);
    put(row.querySelector(".dash-level b"), whole(queue.waiting));
    row.querySelector(".dash-track i").style.width = `${(100 * queue.waiting) / longest}%`;
    put(row.cells[3], duration(queue.oldest_waiting_seconds));
    put(row.cells[4], queue.expected_wait_seconds === 0 ? texts.atOnce : duration(queue.expected_wait_seconds));
    const button = row.querySelector("button");
    put(button, queue.paused ? texts.resume : texts.pause);
    button.ariaLabel = fill(queue.paused ? texts.resumeQueue : texts.pauseQueue, { queue: queue.name });
  });
}

async function change(row, button) {
  button.disabled = true;
  const body = new FormData($("csrf"));
  body.set("queue", row.dataset.key);
  body.set("paused", row.dataset.paused === "yes" ? "no" : "yes");
  try {
    const answer = await fetch(settings.urls.queue, { method: "POST", body, redirect: "error" });
    const told = await answer.json().catch(() => ({}));
    complain(answer.ok ? "" : fill(texts.couldNot, { why: told.error?.message ?? answer.status }));
  } catch (error) {
    complain(fill(texts.couldNot, { why: error.message }));
  }
  await refresh();
  button.disabled = false;
  button.focus();
}

function complain(text) {
  put($("problem"), text);
  $("problem").hidden = !text;
}

// -- workers, letters, kinds ------------------------------------------------------------------------------

function workerItem() {
  return make(
    "li",
    {},
    make(
      "div",
      { className: "dash-worker" },
      make("span", { className: "dash-dot" }),
      make("b"),
      make("span", { className: "dash-slots" }, make("span")),
      make("span", { className: "dash-quietly" }),
    ),
    make("ul"),
  );
}

const runItem = () => make("li", {}, make("a"), make("span"));

function showRun(item, run) {
  const link = item.querySelector("a");
  link.href = settings.urls.job.replace(settings.no_job, run.job_id);
  link.title = run.kind;
  put(link, run.subject ? `${last(run.kind)} · ${run.subject}` : last(run.kind));
  const attempt = run.attempt > 1 ? `${fill(texts.attempt, { n: run.attempt })} · ` : "";
  put(item.querySelector("span"), attempt + duration(run.seconds));
}

function showWorkers(workers) {
  $("no-workers").hidden = workers.length > 0;
  keep($("workers"), workers, "name", workerItem, (item, worker) => {
    const box = item.querySelector(".dash-worker");
    box.dataset.state = worker.alive ? "live" : "stale";
    put(box.querySelector("b"), worker.name);
    const free = worker.alive ? worker.concurrency : worker.running.length;
    box.querySelector(".dash-slots span").replaceChildren(...slots(worker.running.length, free));
    const age = duration(Math.max(0.001, worker.seen_seconds_ago));
    const state = fill(worker.alive ? texts.heartbeat : texts.silent, { age });
    const idle = worker.alive && !worker.running.length ? ` · ${texts.idle}` : "";
    put(box.querySelector(".dash-quietly"), `${worker.queues.join(", ")} · ${state}${idle}`);
    keep(item.querySelector("ul"), worker.running, "job_id", runItem, showRun);
  });
}

function letterItem() {
  const level = make("div", { className: "dash-level" }, make("a"), make("div", { className: "dash-track" }, make("i")), make("b"));
  return make("li", {}, level);
}

function showLetters(letters) {
  $("no-letters").hidden = letters.open > 0;
  const most = Math.max(1, ...letters.by_code.map((code) => code.open));
  keep($("letters"), letters.by_code, "code", letterItem, (item, { code, open }) => {
    const link = item.querySelector("a");
    link.href = `${settings.urls.letters}?error_code=${encodeURIComponent(code)}`;
    put(link, code);
    put(item.querySelector("b"), whole(open));
    item.querySelector("i").style.width = `${(100 * open) / most}%`;
  });
}

function kindRow() {
  const row = make("tr", {}, make("th", { scope: "row" }, make("a")));
  for (let column = 1; column < 8; column += 1) row.append(make("td", { className: "dash-right" }));
  return row;
}

function showKinds(kinds) {
  keep($("kinds").tBodies[0], kinds, "kind", kindRow, (row, told) => {
    const link = row.querySelector("a");
    link.href = `${settings.urls.jobs}?q=${encodeURIComponent(told.kind)}`;
    link.title = told.kind;
    put(link, last(told.kind));
    const pair = (times) => (times.n ? `${duration(times.p50)} / ${duration(times.p95)}` : "–");
    const { status, ended } = told;
    const cells = [status.pending + status.retrying, status.processing, ended.completed, ended.failed].map(whole);
    [...cells, share(told.success_rate), pair(told.waiting), pair(told.running)].forEach((text, index) =>
      put(row.cells[index + 1], text),
    );
  });
}

// -- charts -----------------------------------------------------------------------------------------------

const hours = () => Number(document.querySelector("[name=hours]:checked").value);
const terms = () => ({ language, texts, duration, hours: hours() });
const drawn = {
  now: new charts.Chart($("chart-now"), () => charts.now(terms())),
  throughput: new charts.Chart($("chart-throughput"), () => charts.throughput(terms())),
  success: new charts.Chart($("chart-success"), () => charts.success(terms())),
  waiting: new charts.Chart($("chart-waiting"), () => charts.durations(terms())),
  running: new charts.Chart($("chart-running"), () => charts.durations(terms())),
};
const samples = [[], [], []];
const drawAll = () => Object.values(drawn).forEach((chart) => chart.draw());

function showCharts(report) {
  const { status, hourly } = report;
  [Date.parse(report.at) / 1000, status.pending + status.retrying, status.processing].forEach((value, index) => {
    samples[index].push(value);
    if (samples[index].length > SAMPLES) samples[index].shift();
  });
  drawn.now.show(samples);
  const at = hourly.map((hour) => Date.parse(hour.hour) / 1000);
  const each = (pick) => hourly.map(pick);
  drawn.throughput.show([
    at,
    each(({ ended }) => ended.completed + ended.failed + ended.cancelled),
    each(({ ended }) => ended.completed + ended.failed),
    each(({ ended }) => ended.completed),
    each((hour) => hour.submitted),
  ]);
  drawn.success.show([at, each(({ success_rate: rate }) => (rate == null ? null : rate * 100))]);
  for (const which of ["waiting", "running"]) {
    drawn[which].show([at, each((hour) => hour[which].p50), each((hour) => hour[which].p95)]);
  }
}

// -- round and round --------------------------------------------------------------------------------------

let answeredAt = Date.now();
let asked = 0;

async function refresh() {
  asked += 1;
  const question = asked;
  const live = $("live");
  try {
    const answer = await fetch(`${settings.urls.data}?hours=${hours()}`, { signal: AbortSignal.timeout(10_000) });
    if (answer.redirected || answer.status === 403) {
      complain(texts.signedOut);
      throw new Error("signed out");
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const report = await answer.json();
    if (question !== asked) return; // an answer to a later question is there, or on its way
    showTiles(report);
    showQueues(report.queues);
    showWorkers(report.workers);
    showLetters(report.dead_letters);
    showKinds(report.kinds);
    showCharts(report);
    answeredAt = Date.now();
    live.dataset.state = "live";
    put($("live-text"), texts.live);
  } catch {
    if (question !== asked) return;
    live.dataset.state = "stale";
    put($("live-text"), fill(texts.stale, { age: duration((Date.now() - answeredAt) / 1000) }));
  }
}

async function go() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((wake) => setTimeout(wake, settings.refresh_seconds * 1000));
  }
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
document.querySelectorAll("[name=hours]").forEach((choice) =>
  choice.addEventListener("change", async () => {
    await refresh();
    drawAll();
  }),
);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
go();
