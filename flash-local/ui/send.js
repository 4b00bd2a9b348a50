// The form that sends a job to a queue.

import { Refused, call } from "./api.js";
import { h } from "./dom.js";
import { Form, parse } from "./form.js";
import { duration } from "./format.js";
import { prose } from "./parts.js";
import { describe, example, problems, resolve } from "./schema.js";
import { changed, go, notify, now, state } from "./state.js";

/** What was typed, by endpoint, for as long as the page is open. */
const drafts = new Map();

/** The functions of a queue: `[{ name, text, schema }]`. `name` is `null` where there is only one. */
function functions(document) {
  const body = document?.paths?.["/run"]?.post?.requestBody?.content?.["application/json"]?.schema;
  const input = body?.properties?.input;
  if (!input) return [];
  const each = Array.isArray(input.oneOf) ? input.oneOf : [input];
  return each.map((schema) => {
    const { schema: real } = resolve(schema, document.components);
    return { name: real.properties?.method?.const ?? null, text: real.description ?? "", schema: real };
  });
}

function begin(endpoint, document) {
  const known = functions(document);
  const draft = { known, components: document?.components, chosen: 0, raw: known.length === 0, text: "", form: null, sending: false, since: 0, warned: "" };
  choose(draft, 0);
  if (!draft.text) draft.text = "{}";
  drafts.set(endpoint.id, draft);
  return draft;
}

function choose(draft, index) {
  draft.chosen = index;
  draft.warned = "";
  const one = draft.known[index];
  if (!one) return;
  const { method, ...rest } = one.schema.properties ?? {};
  const fixed = method?.const !== undefined ? { method: method.const } : {};
  const properties = method?.const !== undefined ? rest : (one.schema.properties ?? {});
  draft.form = one.schema.type === "object" || one.schema.properties ? new Form(properties, one.schema.required ?? [], draft.components, fixed) : null;
  if (!draft.form) draft.raw = true;
  draft.text = JSON.stringify(example(one.schema, draft.components), null, 2);
}

const format = (text) => {
  const value = parse(text);
  // A number that a script can not hold would be another one afterwards.
  return value === undefined || /\d{16}/.test(text) ? text : JSON.stringify(value, null, 2);
};

export function send(endpoint) {
  const document = endpoint.described ? describe(endpoint, () => call("GET", `/ui/api/endpoints/${encodeURIComponent(endpoint.id)}/openapi`), changed) : null;
  if (document === undefined) return h("div", { class: "send", "aria-busy": "true" });
  let draft = drafts.get(endpoint.id);
  if (!draft || draft.document !== document) {
    draft = begin(endpoint, document);
    draft.document = document;
  }
  if (state.draft?.endpoint === endpoint.id) {
    const { text } = state.draft;
    state.draft = null;
    const method = parse(text)?.method;
    const index = draft.known.findIndex((one) => one.name !== null && one.name === method);
    if (index >= 0) draft.chosen = index;
    draft.raw = true;
    draft.text = format(text);
    draft.edit = (draft.edit ?? 0) + 1;
  }
  const one = draft.known[draft.chosen];
  const many = draft.known.length > 1;
  return h(
    "form",
    {
      class: "send",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        submit(endpoint, draft, event.submitter?.value ?? "run");
      },
    },
    many &&
      h(
        "fieldset",
        { class: "choice" },
        h("legend", {}, "Function"),
        h(
          "div",
          { class: "chips" },
          draft.known.map((known, index) =>
            h("button", { type: "button", class: "chip mono", "aria-pressed": String(index === draft.chosen), "data-function": known.name, onclick: () => (choose(draft, index), (draft.edit = (draft.edit ?? 0) + 1), changed()) }, known.name),
          ),
        ),
      ),
    one?.text && h("p", { class: "lead" }, prose(one.text)),
    h(
      "div",
      { class: "mode" },
      h("h3", {}, "Input"),
      draft.form && h("button", { type: "button", class: "quiet small", "data-act": "mode", onclick: () => mode(draft) }, draft.raw ? "As a form" : "As JSON"),
    ),
    draft.raw || !draft.form
      ? h("textarea", {
          key: `raw ${draft.edit ?? 0}`,
          class: "mono editor",
          rows: Math.min(24, Math.max(6, draft.text.split("\n").length + 1)),
          spellcheck: "false",
          "aria-label": "Input as JSON",
          "data-field": "__json",
          value: draft.text,
          oninput: (event) => {
            draft.text = event.target.value;
            draft.warned = "";
            changed();
          },
        })
      : h(
          "div",
          { key: `form ${draft.chosen} ${draft.edit ?? 0}`, class: "fields-form" },
          draft.form.fields.length === 0 ? h("p", { class: "note" }, "This function has no parameters.") : draft.form.draw("input", () => {
            draft.warned = "";
            changed();
          }),
        ),
    wrong(draft),
    h(
      "div",
      { key: "actions", class: "actions start" },
      h("button", { type: "submit", class: "primary", value: "run", disabled: draft.sending }, draft.warned ? "Send anyway" : "Send"),
      h("button", { type: "submit", class: "quiet", value: "runsync", disabled: draft.sending }, "Send and wait"),
      draft.sending && h("p", { class: "note", role: "status" }, `Waiting, ${duration(now() - draft.since)}`),
    ),
    endpoint.described ? null : h("p", { class: "note" }, "Nothing is known of this endpoint's functions, so the input is written as JSON."),
  );
}

function mode(draft) {
  if (draft.raw) {
    draft.raw = false;
  } else {
    draft.text = format(draft.form.json());
    draft.raw = true;
  }
  draft.warned = "";
  draft.edit = (draft.edit ?? 0) + 1;
  changed();
}

/** What is wrong: with what is typed at the moment, or with what was to be sent. */
function wrong(draft) {
  const lines = draft.raw && parse(draft.text) === undefined ? [reason(draft.text)] : draft.warned ? draft.warned.split("\n") : [];
  if (lines.length === 0) return null;
  return h("ul", { class: "problems", role: "alert" }, lines.map((line) => h("li", {}, line)));
}

function reason(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON yet: ${error.message}`;
  }
}

async function submit(endpoint, draft, operation) {
  const text = draft.raw || !draft.form ? draft.text : draft.form.json();
  const blocking = draft.raw || !draft.form ? (parse(text) === undefined ? [reason(text)] : []) : draft.form.missing();
  const one = draft.known[draft.chosen];
  const doubts = blocking.length > 0 ? blocking : one ? problems(one.schema, draft.components, parse(text)) : [];
  const said = doubts.join("\n");
  // The platform decides in the end: whoever has read the doubts may send it all the same.
  if (blocking.length > 0 || (said && draft.warned !== said)) {
    draft.warned = said;
    changed();
    return;
  }
  draft.sending = true;
  draft.since = now();
  const ticking = setInterval(changed, 200);
  changed();
  try {
    const answer = await call("POST", `/v2/${encodeURIComponent(endpoint.id)}/${operation}`, `{"input":${text}}`);
    draft.warned = "";
    go(endpoint.id, "jobs", answer.id);
  } catch (error) {
    notify(error instanceof Refused ? error.message : String(error), "bad");
  }
  clearInterval(ticking);
  draft.sending = false;
  changed();
}
