// One job.

import { Refused, call } from "./api.js";
import { h } from "./dom.js";
import { count, duration } from "./format.js";
import { phases } from "./jobs.js";
import { badge, copy, data, empty, look, plain, pretty, section, timeline } from "./parts.js";
import { link, notify, route, state } from "./state.js";

export function jobDetail(endpoint, id) {
  const job = state.job;
  const close = link(endpoint.id, null, null, route());
  if (!job || job.id !== id) return h("article", { class: "detail", "aria-busy": "true" });
  if (job.gone) {
    return h("article", { class: "detail" }, h("a", { class: "up", href: close }, "Jobs"), empty("This job is not there any more.", "It never was, or the time for which its result is kept is over."));
  }
  const ended = job.ended !== null;
  return h(
    "article",
    { class: "detail", key: id, "aria-label": `Job ${id}`, "data-detail": id, "data-status": job.status },
    h(
      "header",
      { class: "detail-head" },
      h("a", { class: "up", href: close }, "Jobs"),
      h("div", { class: "detail-title" }, badge(job.status), h("div", { class: "detail-actions" }, actions(endpoint, job))),
      h("p", { class: "address" }, h("code", {}, id), copy(id, "Id")),
    ),
    section(
      "Timeline",
      null,
      timeline(phases(job), ended ? { name: look(job.status)[1], kind: phases(job).at(-1).kind, at: job.ended } : null),
      h(
        "dl",
        { class: "facts-list" },
        fact("Attempts", count(job.retries + (job.status === "IN_QUEUE" || job.taken === null ? 0 : 1))),
        job.worker && fact("Worker", h("a", { href: link(endpoint.id, "workers", job.worker) }, job.worker)),
        fact("May run", duration(job.execution_timeout)),
        fact("Expires", `${duration(job.ttl)} after it was sent`),
        job.low_priority && fact("Priority", "low"),
        job.webhook && fact("Webhook", job.webhook),
      ),
    ),
    job.error && failure(job.error),
    job.output && section(job.status === "IN_PROGRESS" ? "Progress" : "Output", copy(plain(job.output), "Output"), data(job.output)),
    job.chunk_count > 0 && stream(job),
    section("Input", job.input && copy(plain(job.input), "Input"), job.input ? data(job.input) : h("p", { class: "note" }, ended ? "It is not kept after a job has ended this way." : "None.")),
  );
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function actions(endpoint, job) {
  const post = (operation, said) => async () => {
    try {
      await call("POST", `/v2/${encodeURIComponent(endpoint.id)}/${operation}/${encodeURIComponent(job.id)}`, "{}");
      notify(said);
    } catch (error) {
      notify(error instanceof Refused ? error.message : String(error), "bad");
    }
  };
  const again = job.input?.json !== undefined && h("a", { class: "button quiet small", href: link(endpoint.id, "send"), onclick: () => (state.draft = { endpoint: endpoint.id, text: job.input.json }) }, "Edit and send");
  if (job.ended === null) return [again, h("button", { type: "button", class: "quiet small danger-text", "data-act": "cancel", onclick: post("cancel", "Job cancelled") }, "Cancel")];
  if (job.status === "FAILED" || job.status === "TIMED_OUT") {
    return [again, h("button", { type: "button", class: "quiet small", "data-act": "retry", onclick: post("retry", "Job is queued again") }, "Retry")];
  }
  return [again];
}

/** The error of a function: what Flash and Python workers post is JSON inside of a string. */
function failure(part) {
  const text = plain(part);
  let form = null;
  try {
    form = JSON.parse(text);
  } catch {
    // Any other text is shown as it is.
  }
  if (form === null || typeof form !== "object" || typeof form.error_message !== "string") {
    return section("Error", copy(text, "Error"), h("div", { class: "error" }, h("p", { class: "error-message" }, text)));
  }
  const typed = form.flash && typeof form.flash === "object" ? form.flash : null;
  const code = String(typed?.code ?? form.error_type ?? "");
  return section(
    "Error",
    copy(text, "Error"),
    h(
      "div",
      { class: "error" },
      h("p", { class: "error-code" }, h("code", {}, code), typed?.retryable === true && h("span", { class: "tag" }, "may succeed later"), typed?.terminal === true && h("span", { class: "tag" }, "can never succeed")),
      h("p", { class: "error-message" }, form.error_message),
      Array.isArray(typed?.data?.fields) ? fields(typed.data.fields) : typed?.data !== undefined && typed?.data !== null && pretty(JSON.stringify(typed.data)),
      form.error_traceback ? h("details", {}, h("summary", {}, "Traceback"), h("pre", { class: "json", tabindex: 0 }, String(form.error_traceback))) : null,
    ),
  );
}

/** What was wrong with the arguments, one by one. */
const fields = (list) =>
  h("ul", { class: "fields" }, list.map((field) => h("li", {}, typeof field === "object" && field ? [h("code", {}, String(field.field ?? field.path ?? field.name ?? "")), " ", String(field.message ?? field.problem ?? JSON.stringify(field))] : String(field))));

function stream(job) {
  const hidden = job.chunk_count - job.chunks.length;
  return section(
    "Stream",
    h("span", { class: "note" }, `${count(job.chunk_count)} ${job.chunk_count === 1 ? "piece" : "pieces"} not read yet`),
    hidden > 0 && h("p", { class: "note" }, `${count(hidden)} older ones are not shown.`),
    h("ol", { class: "chunks", start: hidden + 1 }, job.chunks.map((chunk) => h("li", {}, h("code", {}, plain(chunk))))),
  );
}
