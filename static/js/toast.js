/** Short messages at the foot of the page, with one thing to do about them. */

const STAYS = 12_000; // milliseconds

/**
 * Show a message; the one before it goes.
 * @param {string} text
 * @param {{label: string, act: () => void}} [action]
 */
export function toast(text, action) {
  const region = /** @type {HTMLElement} */ (document.getElementById("toast"));
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("p");
  words.textContent = text;
  box.append(words);
  if (action) box.append(button(action, () => box.remove()));
  region.replaceChildren(box);
  goAfterAWhile(box);
}

function button({ label, act }, close) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button small";
  made.textContent = label;
  made.addEventListener("click", () => {
    close();
    act();
  });
  return made;
}

/** Nobody is hurried: it stays while it is pointed at or has the focus. */
function goAfterAWhile(box) {
  let timer = 0;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => box.remove(), STAYS);
  };
  const stay = () => clearTimeout(timer);
  box.addEventListener("pointerenter", stay);
  box.addEventListener("pointerleave", start);
  box.addEventListener("focusin", stay);
  box.addEventListener("focusout", start);
  start();
}

/** Tell screen readers what has changed, without showing it. @param {string} text */
export function announce(text) {
  const region = /** @type {HTMLElement} */ (document.getElementById("announcer"));
  region.textContent = text;
}
