/** The drop zone, and a row for each file that is on its way. */

import { leaveOnlyIf } from "./api.js";
import { discard, lookUp } from "./protocol.js";
import { formatAbout, formatBytes, formatPercent, t } from "./texts.js";
import { announce, toast } from "./toast.js";
import * as unfinished from "./unfinished.js";
import { Upload } from "./uploader.js";

export class Uploads {
  /** @type {Map<Upload, HTMLElement>} */ #rows = new Map();
  /** @type {Map<string, HTMLElement>} rows of those whose file has to be chosen again */ #waiting = new Map();
  /** @type {unfinished.Unfinished | null} the one whose file is being chosen */ #wanted = null;

  /**
   * @param {HTMLElement} zone
   * @param {HTMLElement} list
   * @param {(video: any) => void} onVideo a file has become a video
   */
  constructor(zone, list, onVideo) {
    this.zone = zone;
    this.list = list;
    this.onVideo = onVideo;
    this.input = /** @type {HTMLInputElement} */ (zone.querySelector("input[type=file]"));
    this.#listen();
    for (const upload of unfinished.all()) this.#offer(upload);
    if (this.input.files?.length) this.#onChosen(); // somebody was quicker than this script
  }

  #listen() {
    this.input.addEventListener("change", () => this.#onChosen());
    this.zone.querySelector("button")?.addEventListener("click", () => this.#choose(null));
    listenForDrops(this.zone, (files) => this.add(files));
    addEventListener("beforeunload", (event) => {
      if (this.#isBusy) event.preventDefault();
    });
    leaveOnlyIf(() => !this.#isBusy); // what is under way has tokens of its own, and needs no session to be finished
  }

  get #isBusy() {
    return [...this.#rows.keys()].some((upload) => upload.isActive || upload.state === "waiting");
  }

  #onChosen() {
    const files = [...(this.input.files ?? [])];
    this.input.value = ""; // so that the same file can be chosen again
    this.#wanted ? this.#goOn(this.#wanted, files[0]) : this.add(files);
  }

  /** Files that were chosen or dropped. @param {File[]} files */
  add(files) {
    for (const file of files) {
      const reason = this.#reasonAgainst(file);
      if (reason) toast(reason);
      else this.#start(file);
    }
    this.#next();
  }

  #reasonAgainst(file) {
    const limit = Number(this.zone.dataset.maxBytes);
    if (!file.size) return t("errorEmpty", { name: file.name });
    if (file.size > limit) return t("errorTooLarge", { name: file.name, limit: formatBytes(limit) });
    const same = [...this.#rows.keys()].some(
      (upload) => !upload.isOver && unfinished.isSame({ ...about(upload.file), id: "" }, file),
    );
    return same ? t("errorAlready", { name: file.name }) : "";
  }

  #start(file) {
    const known = unfinished.all().find((upload) => unfinished.isSame(upload, file));
    const row = known && this.#waiting.get(known.id);
    if (known) this.#waiting.delete(known.id);
    const made = newRow(file.name);
    const upload = new Upload(file, () => this.#onChange(upload));
    this.#rows.set(upload, made);
    made.dataset.state = upload.state;
    made.addEventListener("click", (event) => this.#onClick(upload, event));
    row ? row.replaceWith(made) : this.list.append(made);
    paint(made, upload);
    announce(t("announceStarted", { name: file.name }));
  }

  /** One file at a time uses the line: the first is there sooner, and none later. */
  #next() {
    const uploads = [...this.#rows.keys()];
    if (uploads.some((upload) => upload.state === "uploading")) return;
    uploads.find((upload) => upload.state === "waiting")?.run();
  }

  #onChange(upload) {
    const row = this.#rows.get(upload);
    if (!row) return;
    const before = row.dataset.state;
    if (before !== upload.state) {
      row.dataset.state = upload.state;
      paint(row, upload);
      this.#onState(upload, row);
    } else {
      paintSoon(row, upload);
    }
  }

  #onState(upload, row) {
    if (upload.state === "failed") announce(`${upload.file.name}: ${upload.error}`);
    if (upload.isOver) {
      this.#rows.delete(upload);
      row.remove();
    }
    if (upload.state === "done") {
      announce(t("announceArrived", { name: upload.file.name }));
      this.onVideo(upload.video);
    }
    if (upload.state !== "uploading") queueMicrotask(() => this.#next());
  }

  #onClick(upload, event) {
    const action = event.target.closest("button[data-action]")?.dataset.action;
    if (action === "pause") upload.pause();
    if (action === "resume") upload.queue();
    if (action === "cancel") upload.cancel();
    const other = action === "pause" ? "resume" : "pause"; // the button that was pressed has gone
    if (action === "pause" || action === "resume") {
      this.#rows.get(upload)?.querySelector(`[data-action="${other}"]`)?.focus();
    }
  }

  /** Show an upload that an earlier visit has begun. @param {unfinished.Unfinished} upload */
  async #offer(upload) {
    if (!(await unfinished.isLeftOver(upload.id))) return;
    const found = await lookUp(upload);
    if (found?.video) this.onVideo(found.video);
    if (!found || found.video || [...this.#rows.keys()].some(({ file }) => unfinished.isSame(upload, file))) return;
    const row = newRow(upload.name);
    row.dataset.state = "unfinished";
    const percent = Math.floor(found.share * 100);
    part(row, "progress").value = percent;
    part(row, "text").textContent = t("uploadUnfinished", { percent: formatPercent(percent) });
    row.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-action]")?.dataset.action;
      if (action === "choose") this.#choose(upload);
      if (action === "cancel") {
        row.remove();
        this.#waiting.delete(upload.id);
        discard(upload.id);
      }
    });
    this.#waiting.set(upload.id, row);
    this.list.append(row);
  }

  /** Open the browser's dialogue; for one upload, or for any files. */
  #choose(upload) {
    this.#wanted = upload;
    this.input.click();
  }

  #goOn(wanted, file) {
    this.#wanted = null;
    if (!file) return;
    if (unfinished.isSame(wanted, file)) this.add([file]);
    else toast(t("errorOtherFile", { name: wanted.name, size: formatBytes(wanted.size) }));
  }
}

function about({ name, size, lastModified }) {
  return { name, size, lastModified };
}

/** A file may be dropped anywhere on the page: missing the zone must not open it instead of the page. */
function listenForDrops(zone, onFiles) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    zone.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.remove("over");
    const isFile = (item) => item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory;
    onFiles([...event.dataTransfer.items].filter(isFile).map((item) => item.getAsFile()));
  });
}

function newRow(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("upload"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  part(row, "name").textContent = name;
  part(row, "progress").setAttribute("aria-label", t("progressOf", { title: name }));
  for (const button of row.querySelectorAll("button[data-action]")) {
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${name}`);
  }
  return row;
}

const due = new Set();

/** Once a frame is often enough for the eye. */
function paintSoon(row, upload) {
  if (due.has(row)) return;
  due.add(row);
  requestAnimationFrame(() => {
    due.delete(row);
    paint(row, upload);
  });
}

function paint(row, upload) {
  const bar = part(row, "progress");
  bar.value = (upload.sent / upload.file.size) * 100;
  part(row, "text").textContent = textOf(upload);
}

/** @param {Upload} upload */
function textOf(upload) {
  const sizes = { done: formatBytes(upload.sent), total: formatBytes(upload.file.size) };
  switch (upload.state) {
    case "waiting":
      return t("uploadWaiting", sizes);
    case "paused":
      return t("uploadPaused", sizes);
    case "checking":
      return t("uploadChecking", { percent: formatPercent(Math.floor(upload.checked * 100)) });
    case "merging":
      return t("uploadMerging");
    case "failed":
      return upload.error;
    default:
      return upload.trouble ? t("uploadTrouble", sizes) : uploadingText(upload, sizes);
  }
}

function uploadingText(upload, sizes) {
  if (!upload.speed) return t("uploadStarting", sizes);
  const left = (upload.file.size - upload.sent) / upload.speed;
  return t("uploadGoing", { ...sizes, speed: formatBytes(upload.speed), left: formatAbout(left) });
}

function part(row, name) {
  return row.querySelector(`[data-part="${name}"]`);
}
