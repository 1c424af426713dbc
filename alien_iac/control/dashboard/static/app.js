// Keeps what is marked `data-live` fresh: fetches the page again and takes over the parts that changed. All pages work without it.
"use strict";

const SECONDS = 5;
const regions = () => [...document.querySelectorAll("[data-live][id]")];

function isInUse(region) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && region.contains(selection.anchorNode);
  return selects || region.querySelector("details[open]") !== null;
}

function replace(old, fresh) {
  if (old.innerHTML === fresh.innerHTML || isInUse(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const places = "a, button, [tabindex]";
  const index = focused ? [...old.querySelectorAll(places)].indexOf(focused) : -1;
  const key = focused && (focused.id || focused.getAttribute("href"));
  old.replaceChildren(...fresh.childNodes);
  if (fresh.dataset.every) old.dataset.every = fresh.dataset.every;
  else delete old.dataset.every;
  if (!focused) return;
  const now = [...old.querySelectorAll(places)];
  (now.find((each) => (each.id || each.getAttribute("href")) === key) ?? now[index] ?? document.getElementById("main"))?.focus();
}

async function refresh() {
  const answer = await fetch(location.href, { redirect: "manual", headers: { accept: "text/html" } });
  if (answer.type === "opaqueredirect") {
    location.reload(); // the session is over: the server shows where to log in
    return;
  }
  if (!answer.ok) throw new Error(`${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of regions()) {
    const fresh = page.getElementById(region.id);
    if (fresh) replace(region, fresh);
  }
}

function wait() {
  const every = regions().map((region) => Number(region.dataset.every ?? SECONDS));
  if (every.length) setTimeout(look, Math.min(...every) * 1000);
}

async function look() {
  try {
    if (!document.hidden) await refresh();
    document.body.classList.remove("stale-page");
  } catch {
    document.body.classList.add("stale-page");
  }
  wait();
}

wait();
