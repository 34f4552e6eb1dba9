/** Words, numbers and times in the language of the page. */

const texts = document.getElementById("texts")?.dataset ?? {};
const language = document.documentElement.lang || "en";

/**
 * A text that the template has translated, with its {placeholders} filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A text that may be there or not, for words that the server may add to. */
export function maybe(key) {
  return texts[key];
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** @param {number} bytes */
export function formatBytes(bytes) {
  const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), SIZES.length - 1);
  const form = { maximumFractionDigits: step > 1 ? 1 : 0, unitDisplay: step ? "short" : "long" };
  return unit(bytes / 1000 ** step, SIZES[step], form);
}

/** 75.3 → 1:15 @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Roughly how long; nobody wants to see the seconds of an hour. @param {number} seconds */
export function formatAbout(seconds) {
  if (seconds < 60) return unit(Math.max(1, Math.ceil(seconds)), "second");
  if (seconds < 5400) return unit(Math.round(seconds / 60), "minute");
  return unit(seconds / 3600, "hour", { maximumFractionDigits: 1 });
}

/** @param {number} percent */
export function formatPercent(percent) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(percent / 100);
}

/** @param {string} iso */
export function formatDay(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(iso));
}

/** @param {string} iso */
export function formatDate(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

function unit(value, name, options = {}) {
  const form = { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0, ...options };
  return new Intl.NumberFormat(language, form).format(value);
}
