// All endpoints.

import { h } from "./dom.js";
import { count, short } from "./format.js";
import { empty, spark } from "./parts.js";
import { link, route, state } from "./state.js";

const endpoints = () => state.order.map((id) => state.endpoints.get(id)).filter(Boolean);

function workers(endpoint) {
  const alive = endpoint.workers.filter((worker) => worker.state !== "ended");
  const ready = alive.filter((worker) => worker.state === "ready").length;
  const kind = alive.length === 0 ? "off" : ready === 0 ? "queued" : alive.some((worker) => worker.state === "unhealthy") ? "failed" : "done";
  const text = alive.length === 0 ? "no workers" : ready === alive.length ? `${ready} ready` : `${ready} of ${alive.length} ready`;
  return h("span", { class: `badge ${kind}` }, h("span", { class: "dot", "aria-hidden": "true" }), text);
}

export function overview() {
  const all = endpoints();
  if (all.length === 0) {
    return h("div", { class: "view" }, h("h1", {}, "Endpoints"), empty("No endpoint yet.", "As soon as a program adds one, or one is deployed, it is here."));
  }
  const sum = (pick) => count(all.reduce((total, endpoint) => total + pick(endpoint), 0));
  return h(
    "div",
    { class: "view" },
    h("h1", {}, "Endpoints"),
    h("p", { class: "lead" }, `${sum((one) => one.running)} running, ${sum((one) => one.waiting)} waiting`),
    h(
      "div",
      { class: "table", role: "list" },
      h("div", { class: "table-head", "aria-hidden": "true" }, ["Endpoint", "Last 90 s", "Waiting", "Running", "Completed", "Failed", "Workers"].map((name) => h("span", {}, name))),
      all.map((endpoint) =>
        h(
          "div",
          { key: endpoint.id, role: "listitem" },
          h(
            "a",
            { class: "table-row", href: link(endpoint.id), "data-row": true, "data-endpoint": endpoint.id },
            h("span", { class: "name" }, endpoint.name, h("small", {}, endpoint.kind === "http" ? "HTTP" : "Queue")),
            spark(endpoint.id),
            number("waiting", endpoint.waiting),
            number("running", endpoint.running),
            endpoint.kind === "http" ? number("completed", null) : number("completed", endpoint.completed),
            endpoint.kind === "http" ? number("failed", null) : number("failed", endpoint.failed),
            workers(endpoint),
          ),
        ),
      ),
    ),
  );
}

const number = (name, value) =>
  h("span", { class: `number ${name} ${value ? "" : "zero"}`, "data-label": name }, value === null ? "–" : short(value));

/** The endpoints beside everything else. */
export function side() {
  const at = route();
  return h(
    "nav",
    { class: "side", "aria-label": "Endpoints" },
    h("a", { class: "side-row all", href: link(), "aria-current": at.endpoint === null ? "page" : null }, h("span", { class: "side-name" }, "All endpoints")),
    endpoints().map((endpoint) =>
      h(
        "a",
        { key: endpoint.id, class: "side-row", href: link(endpoint.id), "aria-current": at.endpoint === endpoint.id ? "page" : null },
        h("span", { class: "side-name" }, endpoint.name),
        h("span", { class: "side-load" }, endpoint.running + endpoint.waiting > 0 ? short(endpoint.running + endpoint.waiting) : ""),
      ),
    ),
  );
}
