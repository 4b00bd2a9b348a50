// The workers of an endpoint, their starts and their logs.

import { h } from "./dom.js";
import { ago, duration, time } from "./format.js";
import { badge, bar, empty, section, timeline } from "./parts.js";
import { changed, link, now, route, state } from "./state.js";

let search = "";
let follows = true;

/** The phases of a cold start, up to now. */
function phases(worker) {
  const open = worker.ended ?? now();
  const list = [
    { name: "Queued", kind: "queued", from: worker.queued, to: worker.starting },
    { name: "Starting", kind: "late", from: worker.starting, to: worker.initialising },
    { name: "Initialising", kind: "running", from: worker.initialising, to: worker.ready ?? open, open: worker.ready === null && worker.ended === null },
  ];
  return list;
}

const shown = (worker) => (worker.crashed ? "crashed" : worker.state === "ready" && worker.busy ? "busy" : worker.state);

export function workers(endpoint) {
  const at = route();
  const one = endpoint.workers.find((worker) => worker.id === at.item);
  const alive = endpoint.workers.filter((worker) => worker.state !== "ended").reverse();
  const ended = endpoint.workers.filter((worker) => worker.state === "ended").reverse();
  if (endpoint.workers.length === 0) {
    return empty("No worker runs.", endpoint.max === 0 ? "This endpoint has none of its own." : "One is started when there is something to do.");
  }
  return h(
    "div",
    { class: at.item ? "split open" : "split" },
    h(
      "div",
      { class: "workers" },
      h("div", { class: "rows", role: "list", "aria-label": "Workers" }, alive.map((worker) => row(endpoint, worker, at))),
      ended.length > 0 && h("h3", { class: "rows-title" }, "Ended"),
      ended.length > 0 && h("div", { class: "rows ended", role: "list", "aria-label": "Workers that have ended" }, ended.map((worker) => row(endpoint, worker, at))),
    ),
    at.item && (one ? detail(endpoint, one) : h("article", { class: "detail" }, h("a", { class: "up", href: link(endpoint.id, "workers") }, "Workers"), empty("This worker is not kept any more."))),
  );
}

function row(endpoint, worker, at) {
  const steps = phases(worker);
  const cold = (worker.ready ?? worker.ended ?? now()) - worker.queued;
  return h(
    "div",
    { key: worker.id, role: "listitem" },
    h(
      "a",
      { class: "row worker-row", href: link(endpoint.id, "workers", worker.id), "data-row": true, "data-worker": worker.id, "data-state": worker.state, "aria-current": at.item === worker.id ? "true" : null },
      badge(shown(worker)),
      h("span", { class: "id", title: worker.id }, worker.id),
      h("span", { class: "said" }, worker.exit ? worker.exit : `pid ${worker.pid}${worker.port ? `, port ${worker.port}` : ""}`),
      h("span", { class: "long", title: "Cold start" }, duration(cold)),
      bar(steps),
      h("time", { title: time(worker.starting) }, ago(worker.starting, now())),
    ),
  );
}

function detail(endpoint, worker) {
  return h(
    "article",
    { class: "detail", key: worker.id, "aria-label": `Worker ${worker.id}` },
    h(
      "header",
      { class: "detail-head" },
      h("a", { class: "up", href: link(endpoint.id, "workers") }, "Workers"),
      h("div", { class: "detail-title" }, badge(shown(worker))),
      h("p", { class: "address" }, h("code", {}, worker.id)),
      h(
        "p",
        { class: "facts" },
        h("span", {}, `pid ${worker.pid}`),
        worker.port && h("span", {}, `port ${worker.port}`),
        h("span", {}, `release ${worker.release}`),
        worker.exit && h("span", { class: worker.crashed ? "bad" : "" }, worker.exit),
      ),
    ),
    section("Cold start", null, timeline(phases(worker), worker.ready !== null ? { name: "Ready", kind: "done", at: worker.ready } : worker.ended !== null ? { name: "Ended before it was ready", kind: "failed", at: worker.ended } : null)),
    log(worker),
  );
}

function log(worker) {
  const words = search.trim().toLowerCase();
  const lines = words ? state.log.lines.filter((line) => message(line).text.toLowerCase().includes(words)) : state.log.lines;
  return section(
    "Log",
    h(
      "div",
      { class: "log-tools" },
      h("input", {
        class: "search",
        type: "search",
        placeholder: "Find in the log",
        "aria-label": "Find in the log",
        "data-search": true,
        value: search,
        oninput: (event) => {
          search = event.target.value;
          changed();
        },
      }),
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          checked: follows,
          onchange: (event) => {
            follows = event.target.checked;
            changed();
          },
        }),
        "Follow",
      ),
    ),
    words && h("p", { class: "note" }, `${lines.length} of ${state.log.lines.length} lines`),
    h(
      "div",
      {
        key: `log ${worker.id}`,
        class: "log",
        tabindex: 0,
        role: "log",
        "aria-label": "Lines of the worker",
        "data-last": String(state.log.last),
        // A reader who scrolls up wants to stay there.
        onwheel: (event) => {
          if (event.deltaY < 0) unfollow();
        },
        mount: (element) => (scroller = element),
      },
      lines.map((line) => drawn(line, words)),
    ),
  );
}

let scroller = null;

function unfollow() {
  if (!follows) return;
  follows = false;
  const box = document.querySelector(".log-tools input[type=checkbox]");
  if (box) box.checked = false;
}

/** After everything is drawn. */
export function settle() {
  if (follows && scroller?.isConnected) scroller.scrollTop = scroller.scrollHeight;
}

/** A line of a worker in the platform's own form is an object with a message and a level. */
function message(line) {
  line.read ??= read(line);
  return line.read;
}

function read(line) {
  if (line.text[0] === "{") {
    try {
      const form = JSON.parse(line.text);
      if (typeof form.message === "string") {
        return { text: form.message, level: String(form.level ?? "").toLowerCase(), job: typeof form.requestId === "string" ? form.requestId : null };
      }
    } catch {
      // A line that only looks like it.
    }
  }
  return { text: line.text, level: line.source === "err" ? "err" : line.source === "system" ? "system" : "", job: null };
}

function drawn(line, words) {
  const { text, level, job } = message(line);
  const parts = [];
  if (words) {
    const low = text.toLowerCase();
    let from = 0;
    for (let at = low.indexOf(words); at >= 0 && low.length === text.length; at = low.indexOf(words, from)) {
      parts.push(text.slice(from, at), h("mark", {}, text.slice(at, at + words.length)));
      from = at + words.length;
    }
    parts.push(text.slice(from));
  } else {
    parts.push(text);
  }
  return h("div", { key: line.number, class: `line ${level}`, title: job ? `Job ${job}` : null }, h("time", {}, time(line.at)), h("span", {}, parts));
}
