// What the dashboard's script stands on: what the page told it, words and numbers, elements that stay.

export const $ = (id) => document.getElementById(id);
export const settings = JSON.parse($("settings").textContent);
export const texts = { ...$("texts").dataset };
export const language = document.documentElement.lang || undefined;

export const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_whole, name) => words[name] ?? "");

export const whole = (n) => n.toLocaleString(language);

/** A duration in seconds, as people say it. */
export function duration(seconds) {
  if (seconds == null) return "–";
  const say = (n, unit) => fill(texts[unit], { n: n.toLocaleString(language) });
  if (seconds < 0.9995) return say(Math.max(1, Math.round(seconds * 1000)), "milliseconds");
  if (seconds < 9.95) return say(Math.round(seconds * 10) / 10, "seconds");
  if (seconds < 120) return say(Math.round(seconds), "seconds");
  if (seconds < 7200) return say(Math.round(seconds / 60), "minutes");
  if (seconds < 172_800) return say(Math.round(seconds / 3600), "hours");
  return say(Math.round(seconds / 86_400), "days");
}

export const share = (rate) =>
  rate == null ? "–" : rate.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });

/** An element with properties and children; text goes in as text. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Keeps the children of a parent in step with items: those that stay keep their element, and with it the focus. */
export function keep(parent, items, key, create, update) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const name = String(item[key]);
    const element = there.get(name) ?? create(item);
    there.delete(name);
    element.dataset.key = name;
    update(element, item);
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  for (const gone of there.values()) gone.remove();
}

export const slots = (busy, places) => {
  const shown = Math.min(places, 16);
  return Array.from({ length: shown }, (_none, n) => make("i", { className: n < busy ? "dash-busy" : "" }));
};

export const last = (name) => name.slice(name.lastIndexOf(".") + 1);
