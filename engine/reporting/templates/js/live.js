// Keeps a page up to date: the server says when the journal changed, the page is fetched again, and
// every part of it (data-live) that is another one replaces the one shown.

import { enhance } from "./pages.js";

const SILENCE_MS = 15_000; // the server says every 5 s that it is there
const RETRY_MS = 2_000;
const REFRESH_MS = 20_000; // ages of data grow without news

const status = document.getElementById("live-status");
const notice = document.getElementById("connection");

let listeners = new AbortController();
let shownAt = new Date();

function regions(root) {
  return [...root.querySelectorAll("[data-live]")];
}

// As the server sent them: the script changes what is in the page.
const sent = new Map(regions(document).map((region) => [region.dataset.live, region.outerHTML]));

// A strict policy forbids style attributes in the page, so the labels of axes are placed here.
function placeLabels(root) {
  for (const side of ["left", "bottom"]) {
    for (const label of root.querySelectorAll(`[data-${side}]`)) {
      label.style[side] = label.dataset[side];
    }
  }
}

function decorate() {
  listeners.abort();
  listeners = new AbortController();
  placeLabels(document);
  enhance(listeners.signal);
}

const clock = (time) => `${time.toISOString().slice(11, 19)} UTC`;

function replace(region, fresh) {
  const focusable = "a, button, [tabindex]";
  const place = [...region.querySelectorAll(focusable)].indexOf(document.activeElement);
  const scrolled = [...region.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  region.replaceWith(fresh);
  fresh.querySelectorAll(".scroll").forEach((box, index) => (box.scrollLeft = scrolled[index] ?? 0));
  if (place >= 0) fresh.querySelectorAll(focusable)[place]?.focus({ preventScroll: true });
}

// Replaces what changed; a chart that somebody looks at stays until the pointer or the focus leaves.
function update(page) {
  let charts = false;
  for (const region of regions(document)) {
    const fresh = page.querySelector(`[data-live="${region.dataset.live}"]`);
    if (!fresh) return location.reload();
    const text = fresh.outerHTML;
    if (text === sent.get(region.dataset.live)) continue;
    if ("hold" in region.dataset && region.matches(":hover, :focus-within")) continue;
    sent.set(region.dataset.live, text);
    replace(region, document.importNode(fresh, true));
    charts ||= "hold" in region.dataset;
  }
  if (charts) decorate();
}

let busy = false;
let again = false;

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const version = page.getElementById("live-status")?.dataset.version;
    if (version === undefined) throw new Error(`status ${response.status}`);
    update(page);
    status.dataset.version = version;
    shownAt = new Date();
    showLive();
  } catch (error) {
    showLost(`The page could not be updated (${error.message}).`);
  } finally {
    busy = false;
  }
  if (again) {
    again = false;
    await refresh();
  }
}

function showLive() {
  status.className = "run live";
  status.textContent = `live, as of ${clock(shownAt)}`;
  notice.hidden = true;
}

function showLost(problem) {
  status.className = "run lost";
  status.textContent = "not connected";
  const text = `${problem} What is shown is of ${clock(shownAt)} and gets older. Trying again.`;
  if (notice.hidden || notice.dataset.problem !== problem) notice.textContent = text;
  notice.dataset.problem = problem;
  notice.hidden = false;
}

let source = null;
let heardAt = Date.now();
let lostAt = null;

function hear() {
  heardAt = Date.now();
  if (lostAt !== null) {
    lostAt = null;
    refresh();
  }
}

function connect() {
  source?.close();
  source = new EventSource(status.dataset.events);
  heardAt = Date.now();
  source.addEventListener("alive", hear);
  source.addEventListener("journal", (event) => {
    hear();
    if (event.data !== status.dataset.version) refresh();
    else showLive();
  });
  source.addEventListener("error", lose);
}

function lose() {
  lostAt ??= new Date();
  showLost(`The connection to the server was lost at ${clock(lostAt)}.`);
}

// A browser gives up after some errors, and cannot know that a silent server is gone.
function watch() {
  if (document.hidden) return;
  const silent = Date.now() - heardAt > SILENCE_MS;
  if (silent) lose();
  if (silent || source?.readyState === EventSource.CLOSED) connect();
}

decorate();
if (status) {
  connect();
  setInterval(watch, RETRY_MS);
  setInterval(() => document.hidden || lostAt !== null || refresh(), REFRESH_MS);
  // A hidden page holds no connection: browsers have six for a server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source.close();
    else {
      connect();
      refresh();
    }
  });
}
