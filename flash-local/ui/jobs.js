// The jobs of an endpoint.

import { Refused, call } from "./api.js";
import { h } from "./dom.js";
import { purge } from "./endpoint.js";
import { ago, brief, duration, time } from "./format.js";
import { badge, bar, empty, look } from "./parts.js";
import { changed, go, link, now, notify, route, state } from "./state.js";

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
  const fresh = new Set(list.jobs.map((job) => job.id));
  const all = [...list.jobs, ...list.older.filter((job) => !fresh.has(job.id))];
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
          h("a", { class: "chip", href: link(endpoint.id, null, null, status), "aria-current": at.status === status ? "true" : null, "data-filter": status ?? "all" }, status ? look(status)[1] : "All"),
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
            if (event.key === "Enter" && search.trim().length > 30) go(endpoint.id, "jobs", search.trim(), at.status);
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
    list.more && !words && h("button", { type: "button", class: "quiet more", disabled: list.loading, onclick: () => older(endpoint, all.at(-1), at.status) }, "Older jobs"),
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
      { class: "row", href: link(endpoint.id, "jobs", job.id, at.status), "data-row": true, "data-job": job.id, "data-status": job.status, "aria-current": at.item === job.id ? "true" : null },
      badge(job.status),
      h("span", { class: "id", title: job.id }, brief(job.id), job.retries > 0 && h("span", { class: "attempts" }, `attempt ${job.retries + (job.status === "IN_QUEUE" ? 0 : 1)}`)),
      h("span", { class: "said" }, job.message ? [h("b", {}, job.code === "failed" ? "" : `${job.code} `), job.message] : ""),
      h("span", { class: "long" }, running ? duration(running.to - running.from) : duration(steps[0].to - steps[0].from)),
      bar(steps),
      h("time", { title: time(job.submitted) }, ago(job.submitted, now())),
    ),
  );
}

async function older(endpoint, last, status) {
  const { list } = state;
  list.loading = true;
  changed();
  const query = new URLSearchParams({ submitted: last.submitted, id: last.id });
  if (status) query.set("status", status);
  try {
    const page = await call("GET", `/ui/api/endpoints/${encodeURIComponent(endpoint.id)}/jobs?${query}`);
    const there = new Set([...list.jobs, ...list.older].map((job) => job.id));
    // What was on the first page and is pushed off it by newer jobs stays.
    const kept = list.jobs.filter((job) => !list.older.some((other) => other.id === job.id));
    list.older = [...(list.older.length === 0 ? kept : list.older), ...page.jobs.filter((job) => !there.has(job.id))];
    list.more = page.more;
  } catch (error) {
    notify(error instanceof Refused ? error.message : String(error), "bad");
  }
  list.loading = false;
  changed();
}
