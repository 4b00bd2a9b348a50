// The keyboard.

import { h } from "./dom.js";
import { changed, go, route, state } from "./state.js";

let shown = false;
let from = null;

const LIST = [
  ["j  ↓", "Next in the list"],
  ["k  ↑", "The one before"],
  ["Enter", "Open it"],
  ["Esc", "Back, or close"],
  ["/", "Search"],
  ["1  2  3", "Tabs of an endpoint"],
  ["?", "These keys"],
];

export function help() {
  if (!shown) return null;
  return h(
    "dialog",
    { key: "help", class: "help", "aria-labelledby": "help-title", mount: (element) => element.showModal(), oncancel: (event) => (event.preventDefault(), toggle()) },
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", {}, LIST.map(([keys, text]) => [h("dt", {}, keys.split("  ").map((key) => h("kbd", {}, key))), h("dd", {}, text)])),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: toggle, autofocus: true }, "Close")),
  );
}

export function toggle() {
  shown = !shown;
  if (shown) from = document.activeElement;
  changed();
  if (!shown) from?.focus?.();
}

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement.closest?.("[data-row]") ?? null);
  const selected = all.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = at >= 0 ? at + step : selected >= 0 ? selected + step : step > 0 ? 0 : all.length - 1;
  const row = all[Math.max(0, Math.min(all.length - 1, next))];
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function back() {
  const at = route();
  if (at.item) go(at.endpoint, at.tab === "jobs" ? null : at.tab, null, at);
  else if (at.tab || at.status || at.before) go(at.endpoint);
  else go();
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input, textarea, select");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const at = route();
    const tabs = [...document.querySelectorAll("[data-tab]")];
    switch (event.key) {
      case "j":
      case "ArrowDown":
        move(1);
        break;
      case "k":
      case "ArrowUp":
        move(-1);
        break;
      case "/":
        document.querySelector("[data-search]")?.focus();
        break;
      case "?":
        toggle();
        break;
      case "Escape":
        back();
        break;
      case "1":
      case "2":
      case "3":
        if (!at.endpoint || !tabs[event.key - 1]) return;
        tabs[event.key - 1].click();
        break;
      default:
        return;
    }
    event.preventDefault();
  });
}

/** The form in which a key is asked for. */
export function keyForm(again) {
  return h(
    "form",
    {
      class: "key-form",
      onsubmit: (event) => {
        event.preventDefault();
        again(new FormData(event.target).get("key").trim());
      },
    },
    h("h1", {}, "This platform asks for a key"),
    h("p", {}, "It stays in this tab, and is forgotten when you close it."),
    state.wrongKey && h("p", { class: "bad", role: "alert" }, "That key was not accepted."),
    h("label", { for: "key" }, "API key"),
    h("input", { id: "key", name: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, mount: (element) => element.focus() }),
    h("button", { type: "submit", class: "primary" }, "Continue"),
  );
}
