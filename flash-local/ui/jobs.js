// The jobs of an endpoint.

import { h } from "./dom.js";
import { purge } from "./endpoint.js";
import { ago, brief, duration, time } from "./format.js";
import { badge, bar, empty, look } from "./parts.js";
import { changed, go, link, now, route, state } from "./state.js";

const FILTERS = [null, "IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "TIMED_OUT", "CANCELLED"];

let search = "";

/** The phases of a job, up to now. */
export function phases(job) {
  const open = job.ended ?? now();
  const over = job.status === "CANCELLED" ? "off" : job.status === "FAILED" || job.status === "TIMED_OUT" ? "failed" : job.status === "COMPLETED" ? "done" : "running";
  const taken = job.status === "IN_QUEUE" ? null : job.taken;
  const list = [{ name: "Queued", kind: "queued", from: job.submitted, to: taken ?? open, open: taken === null && job.ended === null }];
  if (taken !== null) list.push({ name: "Running", kind: over, from: taken, to: open, open: job.ended === null });
  return list;
}

export function jobList(endpoint) {
  const at = route();
  const { list } = state;
  const all = list.jobs;
  const words = search.trim().toLowerCase();
  const found = words ? all.filter((job) => [job.id, job.worker, job.code, job.message].some((text) => text?.toLowerCase().includes(words))) : all;
  return h(
    "div",
    { class: "jobs" },
    h(
      "div",
      { class: "tools" },
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Show jobs that are" },
        FILTERS.map((status) =>
          h("a", { class: "chip", href: link(endpoint.id, null, null, { status }), "aria-current": at.status === status ? "true" : null, "data-filter": status ?? "all" }, status ? look(status)[1] : "All"),
        ),
      ),
      h("div", { class: "tools-end" },
        h("input", {
          class: "search",
          type: "search",
          placeholder: "Find by id, worker or error",
          "aria-label": "Find a job by id, worker or error",
          "data-search": true,
          value: search,
          oninput: (event) => {
            search = event.target.value;
            changed();
          },
          onkeydown: (event) => {
            // A whole id opens its job, also one that is not on this page.
            if (event.key === "Enter" && search.trim().length > 30) go(endpoint.id, "jobs", search.trim(), at);
          },
        }),
        purge(endpoint),
      ),
    ),
    state.trouble && h("p", { class: "bad", role: "alert" }, state.trouble),
    found.length === 0 && !list.loading
      ? words
        ? empty("No job on this page has that.", "Enter a whole id to open its job.")
        : at.status
          ? empty(`No job is ${look(at.status)[1].toLowerCase()}.`)
          : empty("No jobs yet.", h("a", { href: link(endpoint.id, "send") }, "Send the first one"))
      : h("div", { class: "rows", role: "list", "aria-label": "Jobs" }, found.map((job) => row(endpoint, job, at))),
    (list.more || at.before) &&
      h(
        "nav",
        { class: "pages", "aria-label": "Pages of the list" },
        at.before && h("a", { class: "button quiet small", href: link(endpoint.id, null, null, { status: at.status }) }, "Newest jobs"),
        list.more && h("a", { class: "button quiet small", "data-act": "older", href: link(endpoint.id, null, null, { status: at.status, before: place(all.at(-1)) }) }, "Older jobs"),
      ),
  );
}

function row(endpoint, job, at) {
  const steps = phases(job);
  const running = steps[1];
  return h(
    "div",
    { key: job.id, role: "listitem" },
    h(
      "a",
      { class: "row", href: link(endpoint.id, "jobs", job.id, at), "data-row": true, "data-job": job.id, "data-status": job.status, "aria-current": at.item === job.id ? "true" : null },
      badge(job.status),
      h("span", { class: "id", title: job.id }, brief(job.id), job.retries > 0 && h("span", { class: "attempts" }, `attempt ${job.retries + (job.status === "IN_QUEUE" ? 0 : 1)}`)),
      job.message
        ? h("span", { class: "said" }, h("b", {}, job.code === "failed" ? "" : `${job.code} `), job.message)
        : h("span", { class: "said quiet-text" }, job.status === "IN_QUEUE" ? "" : job.worker),
      h("span", { class: "long" }, running ? duration(running.to - running.from) : duration(steps[0].to - steps[0].from)),
      bar(steps),
      h("time", { title: time(job.submitted) }, ago(job.submitted, now())),
    ),
  );
}

/** A job's place in the list, to go on from there. */
const place = (job) => `${job.submitted}~${job.id}`;
