// Keeps the page true while it is open: asks now and then whether something has happened, and changes only what did.
// What the reader holds (the focus, a marked text, something typed) is left alone until it is let go. Without this
// script the page says all the same; it then has to be reloaded.
"use strict";

const EVERY_MS = 3000;
const PATIENCE_MS = 60000;
const page = document.documentElement;
const news = document.getElementById("news");
const served = new Map(parts(document).map((part) => [part.id, part.outerHTML]));
const waiting = new Map();
let tag = page.dataset.tag;
let heard = news.dataset.news;
let pause = EVERY_MS;
let timer = 0;

function parts(root) {
  return [...root.querySelectorAll("[data-live]")];
}

function isTyped(field) {
  return field.type !== "hidden" && field.type !== "radio" && field.value !== field.defaultValue;
}

function isHeld(part) {
  const marked = window.getSelection();
  return (
    part.contains(document.activeElement) ||
    [...part.querySelectorAll("input, textarea")].some(isTyped) ||
    (marked && !marked.isCollapsed && marked.intersectsNode && part.contains(marked.anchorNode))
  );
}

function put(id, fresh) {
  const old = document.getElementById(id);
  if (!old) return;
  const chosen = [...old.querySelectorAll("input:checked")].map((each) => [each.name, each.value]);
  const open = [...old.querySelectorAll("details[open]")].map((each) => each.id);
  const part = document.importNode(fresh, true);
  for (const each of open) part.querySelector(`#${CSS.escape(each)}`)?.setAttribute("open", "");
  for (const [name, value] of chosen) {
    const same = part.querySelector(`input[name="${name}"][value="${value}"]`);
    if (same) same.checked = true;
  }
  part.classList.add("fresh");
  old.replaceWith(part);
}

function settle() {
  for (const [id, fresh] of [...waiting]) {
    const part = document.getElementById(id);
    if (part && isHeld(part)) continue;
    waiting.delete(id);
    put(id, fresh);
  }
}

function take(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of parts(fresh)) {
    if (!served.has(part.id) || served.get(part.id) === part.outerHTML) continue;
    served.set(part.id, part.outerHTML);
    waiting.set(part.id, part);
  }
  document.title = fresh.title;
  tag = fresh.documentElement.dataset.tag;
  const told = fresh.getElementById("news").dataset.news;
  if (told !== heard) news.textContent = heard = told;
}

async function look() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const answer = await fetch(page.dataset.address, {
        headers: { "If-None-Match": tag, Accept: "text/html" },
        cache: "no-store",
        redirect: "error",
      });
      if (answer.status === 200) take(await answer.text());
      pause = answer.ok || answer.status === 304 ? EVERY_MS : Math.min(pause * 2, PATIENCE_MS);
    } catch {
      pause = Math.min(pause * 2, PATIENCE_MS);
    }
    settle();
  }
  timer = setTimeout(look, pause);
}

// The notice is for once: a reload shall not say it again.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address.pathname + address.search);
  document.getElementById("notice")?.focus({ preventScroll: true });
}
document.addEventListener("focusout", () => setTimeout(settle));
document.addEventListener("visibilitychange", () => document.hidden || look());
timer = setTimeout(look, pause);
