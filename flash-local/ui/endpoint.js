// One endpoint: its numbers, and its tabs.

import { Refused, call } from "./api.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { jobDetail } from "./job.js";
import { jobList } from "./jobs.js";
import { confirm, copy, empty, spark, stat } from "./parts.js";
import { send } from "./send.js";
import { link, notify, route, state } from "./state.js";
import { tryForm } from "./try.js";
import { workers } from "./worker.js";

export function endpointView() {
  const at = route();
  const endpoint = state.endpoints.get(at.endpoint);
  if (!endpoint) {
    return h("div", { class: "view" }, state.complete ? empty("There is no such endpoint.", h("a", { href: link() }, "All endpoints")) : null);
  }
  const queue = endpoint.kind === "queue";
  const tabs = queue
    ? [[null, "Jobs"], ["workers", "Workers"], ["send", "Send a job"]]
    : [["try", "Try it"], ["workers", "Workers"]];
  const tab = at.tab === "jobs" || at.tab === null ? tabs[0][0] : at.tab;
  return h(
    "div",
    { class: "view", key: endpoint.id },
    head(endpoint),
    h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": endpoint.name },
      tabs.map(([name, title]) =>
        h("a", { role: "tab", "data-tab": name ?? "jobs", "aria-selected": String(name === tab), href: link(endpoint.id, name) }, title, count_of(name, endpoint)),
      ),
    ),
    h("div", { key: `tab ${tab}`, class: "tab-panel", role: "tabpanel" }, panel(endpoint, tab, at)),
  );
}

function count_of(name, endpoint) {
  const alive = endpoint.workers.filter((worker) => worker.state !== "ended").length;
  return name === "workers" ? h("span", { class: "tab-count" }, String(alive)) : null;
}

function panel(endpoint, tab, at) {
  if (tab === "workers") return workers(endpoint);
  if (tab === "send" && endpoint.kind === "queue") return send(endpoint);
  if (endpoint.kind === "http") return tryForm(endpoint);
  return h(
    "div",
    { class: at.item ? "split open" : "split" },
    jobList(endpoint),
    at.item && jobDetail(endpoint, at.item),
  );
}

function head(endpoint) {
  const workers = endpoint.min === endpoint.max ? `${endpoint.max} ${endpoint.max === 1 ? "worker" : "workers"}` : `${endpoint.min} to ${endpoint.max} workers`;
  return h(
    "header",
    { class: "endpoint-head" },
    h(
      "div",
      { class: "title" },
      h("a", { class: "up", href: link() }, "Endpoints"),
      h("h1", {}, endpoint.name),
      h("p", { class: "facts" }, h("span", {}, endpoint.kind === "http" ? "HTTP" : "Queue"), endpoint.max > 0 && h("span", {}, workers), endpoint.release > 0 && h("span", {}, `Release ${endpoint.release}`), endpoint.crashed > 0 && h("span", { class: "bad" }, `${endpoint.crashed} crashed`)),
      endpoint.note && h("p", { class: "facts" }, h("span", { class: "bad" }, endpoint.note)),
      h("p", { class: "address" }, h("code", {}, endpoint.url), copy(endpoint.url, "Address")),
    ),
    h(
      "div",
      { class: "depth" },
      h(
        "dl",
        { class: "stats" },
        stat("Waiting", count(endpoint.waiting), "waiting"),
        stat("Running", count(endpoint.running), "running"),
        endpoint.kind === "queue" && stat("Completed", count(endpoint.completed)),
        endpoint.kind === "queue" && stat("Failed", count(endpoint.failed), endpoint.failed > 0 ? "failed" : ""),
      ),
      spark(endpoint.id, 320, 44),
    ),
  );
}

/** The button that empties a queue, after a question. */
export function purge(endpoint) {
  const run = async () => {
    try {
      const answer = await call("POST", `/v2/${encodeURIComponent(endpoint.id)}/purge-queue`, "{}");
      notify(`${count(answer.removed)} ${answer.removed === 1 ? "job" : "jobs"} removed`);
    } catch (error) {
      notify(error instanceof Refused ? error.message : String(error), "bad");
    }
  };
  const onclick = () =>
    confirm({
      title: `Remove all waiting jobs of ${endpoint.name}?`,
      text: `${count(endpoint.waiting)} ${endpoint.waiting === 1 ? "job waits" : "jobs wait"} for a worker. They are gone then; jobs that run go on.`,
      action: "Remove them",
      run,
    });
  return h("button", { type: "button", class: "quiet small", "data-act": "purge", disabled: endpoint.waiting === 0, onclick }, "Empty the queue");
}
