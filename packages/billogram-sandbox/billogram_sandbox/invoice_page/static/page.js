// Polls while the page is open and replaces only the parts that changed. A part that holds the focus, a selection, or
// typed text is replaced once it is released. Without this script the page has to be reloaded.
"use strict";

const POLL_MS = 3000;
const POLL_MAX_MS = 60000;
const page = document.documentElement;
const liveStatus = document.getElementById("live-status");
const served = new Map(parts(document).map((part) => [part.id, part.outerHTML]));
const waiting = new Map();
let tag = page.dataset.tag;
let announced = liveStatus.dataset.text;
let pause = POLL_MS;
let timer = 0;

function parts(root) {
  return [...root.querySelectorAll("[data-live]")];
}

function isTyped(field) {
  return field.type !== "hidden" && field.type !== "radio" && field.value !== field.defaultValue;
}

function isInUse(part) {
  const selection = window.getSelection();
  return (
    part.contains(document.activeElement) ||
    [...part.querySelectorAll("input, textarea")].some(isTyped) ||
    (selection && !selection.isCollapsed && part.contains(selection.anchorNode))
  );
}

function replace(id, fresh) {
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

function replaceWaiting() {
  for (const [id, fresh] of [...waiting]) {
    const part = document.getElementById(id);
    if (part && isInUse(part)) continue;
    waiting.delete(id);
    replace(id, fresh);
  }
}

function receive(page) {
  const fresh = new DOMParser().parseFromString(page, "text/html");
  for (const part of parts(fresh)) {
    if (!served.has(part.id) || served.get(part.id) === part.outerHTML) continue;
    served.set(part.id, part.outerHTML);
    waiting.set(part.id, part);
  }
  document.title = fresh.title;
  tag = fresh.documentElement.dataset.tag;
  const text = fresh.getElementById("live-status").dataset.text;
  if (text !== announced) liveStatus.textContent = announced = text;
}

async function poll() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const response = await fetch(page.dataset.address, {
        headers: { "If-None-Match": tag, Accept: "text/html" },
        cache: "no-store",
        redirect: "error",
      });
      if (response.status === 200) receive(await response.text());
      pause = response.ok || response.status === 304 ? POLL_MS : Math.min(pause * 2, POLL_MAX_MS);
    } catch {
      pause = Math.min(pause * 2, POLL_MAX_MS);
    }
    replaceWaiting();
  }
  timer = setTimeout(poll, pause);
}

// The notice is shown once: a reload does not repeat it.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address.pathname + address.search);
  document.getElementById("notice")?.focus({ preventScroll: true });
}
document.addEventListener("focusout", () => setTimeout(replaceWaiting));
document.addEventListener("visibilitychange", () => document.hidden || poll());
timer = setTimeout(poll, pause);
