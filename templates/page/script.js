// Makes the page live: forms are sent without a jump, and what changed is fetched again. Without it everything works by
// plain forms. Nothing is kept here: each piece of the page with `data-live` is as the server drew it last.
"use strict";

const drawn = new Map();
const pieces = (root) => root.querySelectorAll("[data-live]");
for (const piece of pieces(document)) drawn.set(piece.id, piece.innerHTML);

// Whether a refusal in words is shown. It stays until the person does something else: what is drawn meanwhile must not take
// it away before it is read.
let refused = false;

// A piece in which someone is writing is left alone, and drawn when they are done.
const writable = "textarea, input[type=text], select";
function isWriting(piece) {
  const at = document.activeElement;
  return piece.contains(at) && at.matches(writable);
}

// Makes `old` look like `fresh` and keeps every node that can stay: the focus, an open fold and a click under way stay.
function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.matches("input[type=checkbox]")) old.checked = fresh.checked;
  morphChildren(old, fresh);
}
function morphChildren(old, fresh) {
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const same = next.id ? [...old.children].find((one) => one.id === next.id) : at;
    const fits = same && same.nodeName === next.nodeName && (same.id || "") === (next.id || "");
    if (!fits) {
      old.insertBefore(document.importNode(next, true), at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    morph(same, next);
  }
  while (at) {
    const rest = at.nextSibling;
    at.remove();
    at = rest;
  }
}

function draw(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const piece of pieces(fresh)) {
    const old = document.getElementById(piece.id);
    if (!old || drawn.get(piece.id) === piece.innerHTML || isWriting(old)) continue;
    if (refused && old.id === "notice") continue;
    drawn.set(piece.id, piece.innerHTML);
    morphChildren(old, piece);
  }
  // The editor shows the newest text, unless someone has begun to change it.
  for (const box of document.querySelectorAll("textarea[data-fresh]")) {
    const newer = fresh.getElementById(box.id);
    if (newer && box.value === box.defaultValue && box !== document.activeElement) {
      box.defaultValue = newer.defaultValue;
      box.value = newer.defaultValue;
    }
  }
  document.title = fresh.title;
  document.body.dataset.version = fresh.body.dataset.version;
  say();
  count();
}

// What happened since is said to those who cannot see it.
let said = Math.max(0, ...entries().map((entry) => entry.id));
function entries() {
  return [...document.querySelectorAll("[data-entry]")].map((one) => ({
    id: Number(one.dataset.entry),
    words: `${one.querySelector("strong").textContent} ${one.querySelector("[data-words]").textContent}`,
  }));
}
function say() {
  const fresh = entries().filter((entry) => entry.id > said);
  if (fresh.length === 0) return;
  said = fresh[0].id;
  document.getElementById("said").textContent = fresh.reverse().map((entry) => entry.words).join(". ");
}

// The seconds until the next look.
const countdowns = () => document.querySelectorAll("[data-countdown]");
let ends = 0;
function count() {
  const [place] = countdowns();
  ends = place ? performance.now() + 1000 * Number(place.dataset.countdown) : 0;
}
setInterval(() => {
  const words = `${Math.max(0, Math.ceil((ends - performance.now()) / 1000))} s`;
  for (const place of countdowns()) if (place.textContent !== words) place.textContent = words;
}, 250);

async function send(action, data) {
  const answer = await fetch(action, { method: "POST", body: new URLSearchParams(data) });
  const to = new URL(answer.url);
  if (answer.ok && to.pathname !== location.pathname) {
    location.assign(answer.url);
    return false;
  }
  if (refused) {
    refused = false;
    drawn.delete("notice");
  }
  await show(answer);
  return answer.ok;
}

// A page is drawn. Anything else is a refusal in words.
async function show(answer) {
  const text = await answer.text();
  if (answer.headers.get("content-type")?.startsWith("text/html")) draw(text);
  else notice(`That did not work. ${text.trim()}`);
}

function notice(text) {
  const place = document.getElementById("notice");
  if (place.dataset.lost) return;
  const words = document.createElement("p");
  words.className = "notice";
  words.textContent = text;
  place.replaceChildren(words);
  refused = true;
}

function lost() {
  notice("The demo has ended: start it again with “wardroom demo” and open the address that it prints.");
  document.getElementById("notice").dataset.lost = "yes";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-boxes")) return;
  event.preventDefault();
  try {
    const done = await send(form.getAttribute("action"), new FormData(form, event.submitter));
    if (done && form.id === "comment-form") form.reset();
    if (done && form.id === "edit-form") form.closest("details").open = false;
  } catch {
    lost();
  }
});

// A box is sent when it is ticked, alone. A field that is chosen shows what it holds.
document.addEventListener("change", async (event) => {
  const box = event.target;
  if (box.id === "field-name") {
    document.getElementById("field-value").value = box.selectedOptions[0].dataset.value;
  }
  const form = box.form;
  if (!box.matches("input.task") || !form) return;
  const data = new FormData();
  for (const name of ["token", "as", "issue", "do"]) data.append(name, form.elements[name].value);
  data.append(box.checked ? "done" : "was", box.value);
  try {
    await send(form.getAttribute("action"), data);
  } catch {
    lost();
  }
});

document.addEventListener("click", (event) => {
  const hint = event.target.closest("[data-fill]");
  if (!hint) return;
  const place = document.getElementById(hint.dataset.fill);
  place.value = hint.textContent.trim();
  place.focus();
});
for (const hint of document.querySelectorAll("[data-fill]")) hint.hidden = false;

// A piece that was left alone is drawn when its field is left.
async function look() {
  await show(await fetch(location.href));
}
document.addEventListener("focusout", (event) => {
  if (event.target.matches(writable)) setTimeout(() => look().catch(lost), 0);
});

async function follow() {
  for (;;) {
    const since = document.body.dataset.version;
    const answer = await fetch(`/changes?since=${since}`);
    if (!answer.ok) throw new Error("the page ended");
    if ((await answer.text()) !== since) await look();
  }
}
count();
follow().catch(lost);
