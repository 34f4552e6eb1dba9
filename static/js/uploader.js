/**
 * One file on its way to the server, by the chunk protocol.
 *
 * Beginning, going on after a pause, a lost token or a reload are all the same: ask the server what it has, send the
 * rest, merge. That is one round.
 */

import { hashFile } from "./hashing.js";
import { persist } from "./patience.js";
import * as protocol from "./protocol.js";
import { t } from "./texts.js";
import * as unfinished from "./unfinished.js";

/** @typedef {"waiting" | "uploading" | "paused" | "checking" | "merging" | "done" | "failed" | "cancelled"} State */
/** @typedef {protocol.Begun} Begun */

const PARALLEL = 3; // chunks under way at once: enough to fill a line, and leaves the browser connections for the page
const ROUNDS = 3; // without anything new arriving
const SPEED_OVER = 8_000; // milliseconds

/** Refusals after which another round helps: what the server has is not what we thought. */
const ROUND_AGAIN = new Set([
  "chunk_conflict",
  "chunk_missing",
  "not_found",
  "upload_gone",
  "upload_token_expired",
  "upload_token_invalid",
]);

export class Upload {
  /** @type {State} */ state = "waiting";
  error = "";
  /** The line is away, or the server is; it goes on by itself. */ trouble = false;
  /** Share of the file's checksum that is known, 0 to 1. */ checked = 0;
  /** @type {any} */ video = null;
  /** @type {string | null} */ id = null;

  /** @type {Map<number, number>} bytes that have left, of chunks under way */ #underWay = new Map();
  #arrived = 0;
  #new = 0; // chunks that arrived in this round
  /** @type {[number, number][]} moment and bytes sent until then */ #history = [];
  #stop = new AbortController();
  /** @type {ReturnType<typeof hashFile> | null} */ #hashing = null;
  /** @type {string | null} */ #hash = null;
  /** Lets other tabs have the upload. */ #release = () => {};

  /**
   * @param {File} file
   * @param {() => void} onChange anything that is shown has changed
   */
  constructor(file, onChange) {
    this.file = file;
    this.onChange = onChange;
  }

  /** Bytes that are there, or have left at least. */
  get sent() {
    let sum = this.#arrived;
    for (const bytes of this.#underWay.values()) sum += bytes;
    return Math.min(sum, this.file.size);
  }

  /** Bytes a second, over the last few seconds; 0 as long as nobody can say. */
  get speed() {
    const [first, last] = [this.#history[0], this.#history.at(-1)];
    const milliseconds = last && first ? last[0] - first[0] : 0;
    return milliseconds > 500 ? Math.max(0, ((last[1] - first[1]) / milliseconds) * 1000) : 0;
  }

  get isActive() {
    return ["uploading", "checking", "merging"].includes(this.state);
  }

  get isOver() {
    return this.state === "done" || this.state === "cancelled";
  }

  /** Begin, or go on. Settles when it is over, one way or another; never rejects. */
  async run() {
    if (this.isActive || this.isOver) return;
    const { signal } = (this.#stop = new AbortController());
    this.#history = [];
    this.#move("uploading");
    try {
      await this.#rounds(signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** Stop sending; what has arrived stays. */
  pause() {
    this.#stop.abort();
    this.#underWay.clear();
    this.#move("paused");
  }

  /** Stand in line again after a pause or a failure. */
  queue() {
    this.error = "";
    this.#move("waiting");
  }

  /** Give it up, here and on the server. */
  async cancel() {
    this.#stop.abort();
    this.#hashing?.end();
    this.#move("cancelled");
    await this.#discard();
  }

  async #rounds(signal) {
    for (let idle = 0; ; ) {
      this.#new = 0;
      try {
        await this.#round(signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        idle = this.#new ? 0 : idle + 1;
        if (!ROUND_AGAIN.has(error.code) || idle >= ROUNDS) throw error;
        if (error.code === "chunk_conflict") await this.#discard(); // another file of that name, size and time
      }
    }
  }

  async #round(signal) {
    if (this.state !== "uploading") this.#move("uploading");
    const begun = await this.#persist(() => this.#begin(signal), signal);
    if (begun.instant) return this.#finishWith(begun.video);
    this.#adopt(begun);
    const enough = new AbortController();
    const asking = this.#askIfKnown(signal, enough);
    await this.#send(begun, AbortSignal.any([signal, enough.signal])).catch((error) => {
      if (!enough.signal.aborted) throw error;
    });
    if (!enough.signal.aborted) this.#move("checking");
    const known = await asking;
    signal.throwIfAborted();
    if (known) return this.#finishWith(known);
    this.#move("merging");
    this.#finish((await this.#persist(() => this.#merge(begun, signal), signal)).video);
  }

  #begin(signal) {
    return protocol.begin(this.file, this.#hash, signal);
  }

  /** @param {Begun} begun */
  #adopt(begun) {
    if (this.id !== begun.id) {
      if (this.id) unfinished.forget(this.id);
      this.#release();
      this.#release = unfinished.hold(begun.id);
    }
    this.id = begun.id;
    this.#remember(false);
    const left = protocol.missing(begun).map((index) => protocol.piece(this.file, begun, index).size);
    this.#arrived = this.file.size - left.reduce((sum, size) => sum + size, 0);
    // Only now, so that it does not come in the way of the first byte.
    this.#hashing ??= hashFile(this.file, (share) => this.#change(() => (this.checked = share)));
  }

  #remember(merging) {
    const { name, size, lastModified } = this.file;
    if (this.id) unfinished.remember({ id: this.id, name, size, lastModified, merging });
  }

  /**
   * Once the checksum is known, tell the server: it may have the file, and then `enough` has been sent. Small files are
   * sent before that; asking all the same spares a second video.
   */
  async #askIfKnown(signal, enough) {
    if (this.#hash) return null; // the round began with it
    this.#hash = (await this.#hashing?.result) ?? null;
    if (!this.#hash || signal.aborted) return null;
    const answer = await this.#begin(signal).catch(() => null); // no more than a chance; the merge says the hash again
    if (!answer?.instant) return null;
    enough.abort();
    return answer.video;
  }

  async #send(begun, signal) {
    const left = protocol.missing(begun).values(); // one iterator: the lanes take turns
    const failed = new AbortController(); // the first lane that fails ends the others too
    const either = AbortSignal.any([signal, failed.signal]);
    const lane = async () => {
      try {
        for (const index of left) await this.#sendOne(begun, index, either);
      } catch (error) {
        failed.abort(error);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));
    failed.signal.throwIfAborted();
  }

  async #sendOne(begun, index, signal) {
    const blob = protocol.piece(this.file, begun, index);
    const onProgress = (bytes) => this.#change(() => this.#underWay.set(index, Math.min(bytes, blob.size)));
    try {
      await this.#persist(() => protocol.put(begun, index, blob, { signal, onProgress }), signal);
    } finally {
      this.#underWay.delete(index);
    }
    this.#new += 1;
    this.#change(() => (this.#arrived += blob.size));
  }

  #merge(begun, signal) {
    this.#remember(true);
    return protocol.merge(this.file.name, begun, this.#hash, signal);
  }

  #persist(act, signal) {
    return persist(act, { signal, onTrouble: () => this.#change(() => (this.trouble = true)) }).then((value) => {
      this.trouble = false;
      return value;
    });
  }

  /** The server has the file already: what was sent of it is of no use. */
  async #finishWith(video) {
    await this.#discard();
    this.#finish(video);
  }

  #finish(video) {
    if (this.id) unfinished.forget(this.id);
    this.#hashing?.end();
    this.#release();
    this.video = video;
    this.#move("done");
  }

  #fail(error) {
    const unreadable = error instanceof DOMException; // moved, changed or unplugged since it was chosen
    this.error = unreadable ? t("errorUnreadable") : error.message;
    this.#move("failed");
  }

  async #discard() {
    if (!this.id) return;
    const id = this.id;
    this.id = null;
    this.#release();
    await protocol.discard(id);
  }

  #change(how) {
    how();
    const now = performance.now();
    this.#history.push([now, this.sent]);
    while (this.#history[0][0] < now - SPEED_OVER) this.#history.shift();
    this.onChange();
  }

  #move(/** @type {State} */ state) {
    this.state = state;
    this.trouble = false;
    this.onChange();
  }
}
