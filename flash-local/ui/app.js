// The page.

import { key } from "./api.js";
import { draw, h } from "./dom.js";
import { endpointView } from "./endpoint.js";
import { help, keyForm, listen, toggle } from "./keys.js";
import { overview, side } from "./overview.js";
import { dialog } from "./parts.js";
import { changed, follow, go, onchange, route, sample, state } from "./state.js";
import { settle } from "./worker.js";

const root = document.getElementById("app");

const CONNECTION = { connecting: "Connecting", live: "Live", lost: "Disconnected", key: "Key needed" };

const THEMES = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

function theme() {
  const at = document.documentElement.dataset.theme ?? "auto";
  const next = { auto: "light", light: "dark", dark: "auto" }[at];
  const onclick = () => {
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("flash-theme", next);
    } catch {
      // It holds for as long as the page is open.
    }
    changed();
  };
  return h(
    "button",
    { type: "button", class: "icon", "data-act": "theme", "aria-label": THEMES[at], title: THEMES[at], onclick },
    h("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, at === "dark" ? h("path", { d: "M15.5 12.2A6.5 6.5 0 0 1 7.8 4.5a6.5 6.5 0 1 0 7.7 7.7Z" }) : [h("circle", { cx: 10, cy: 10, r: 3.6 }), at === "auto" ? h("path", { class: "fill", d: "M10 6.4a3.6 3.6 0 0 1 0 7.2Z" }) : null, h("path", { d: "M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4" })]),
  );
}

function top() {
  return h(
    "header",
    { class: "top" },
    h("a", { class: "word", href: "#/" }, h("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, h("path", { d: "M18 3 6 18.5h8L13 29l13-16h-9z" })), "Flash"),
    h("span", { class: "where" }, state.base.replace(/^https?:\/\//, "")),
    h("span", { class: `connection ${state.connection}`, role: "status", "data-connection": state.connection }, h("span", { class: "dot", "aria-hidden": "true" }), CONNECTION[state.connection]),
    theme(),
    h("button", { type: "button", class: "icon", "aria-label": "Keys", title: "Keys", onclick: toggle }, "?"),
  );
}

function body() {
  if (state.connection === "key") {
    return h("main", { id: "main", class: "alone", key: "key" }, keyForm((text) => {
      key.set(text);
      state.connection = "connecting";
      follow();
      changed();
    }));
  }
  if (!state.complete) return h("main", { id: "main", class: "alone", key: "wait", "aria-busy": "true" }, state.connection === "lost" && h("p", { class: "note" }, "The platform does not answer. Trying again."));
  const at = route();
  return h(
    "div",
    { class: `frame ${at.endpoint ? "inside" : "outside"} ${state.connection === "lost" ? "stale" : ""}`, key: "frame" },
    at.endpoint && side(),
    h("main", { id: "main", tabindex: -1 }, at.endpoint ? endpointView() : overview()),
  );
}

onchange(() => {
  draw(
    root,
    h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), document.getElementById("main")?.focus()) }, "To the content"),
    top(),
    state.connection === "lost" && h("p", { key: "lost", class: "lost", role: "alert" }, "Disconnected. What you see is old; trying again."),
    body(),
    h("div", { key: "notice", class: `notice ${state.notice?.kind ?? ""}`, role: "status", "aria-live": "polite" }, state.notice?.text),
    help(),
    dialog(),
  );
  const at = route();
  document.title = at.endpoint ? `${state.endpoints.get(at.endpoint)?.name ?? at.endpoint} – Flash` : "Flash";
  settle();
});

window.addEventListener("hashchange", () => {
  follow();
  changed();
  if (!route().item) scrollTo(0, 0);
});
listen();
follow();
changed();
// Only one endpoint: it is what the reader came for.
const first = setInterval(() => {
  if (!state.complete) return;
  clearInterval(first);
  sample();
  if (!route().endpoint && location.hash === "" && state.order.length === 1) go(state.order[0]);
}, 50);
setInterval(() => {
  sample();
  changed();
}, 1000);
