// Tries the routes of an HTTP endpoint, through the gateway that every caller goes through.

import { call, headers } from "./api.js";
import { h } from "./dom.js";
import { Form, parse } from "./form.js";
import { bytes, duration } from "./format.js";
import { pretty, prose, section } from "./parts.js";
import { describe, resolve } from "./schema.js";
import { changed } from "./state.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const tries = new Map();

/** Bytes of an answer that are shown. */
const SHOWN = 200_000;

async function load(endpoint) {
  if (endpoint.described) return call("GET", `/ui/api/endpoints/${encodeURIComponent(endpoint.id)}/openapi`);
  // Many frameworks describe themselves here. It would start a worker where none runs, which a look should not.
  if (!endpoint.workers.some((worker) => worker.state === "ready")) return null;
  const document = await call("GET", `/lb/${encodeURIComponent(endpoint.id)}/openapi.json`);
  return document?.paths ? document : null;
}

function operations(document) {
  return Object.entries(document?.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].filter((one) => one.in === "path" || one.in === "query");
      const content = operation.requestBody?.content ?? {};
      const json = content["application/json"]?.schema;
      return { method, path, text: operation.summary ?? operation.description ?? "", parameters, json, type: json ? "application/json" : Object.keys(content)[0] };
    }),
  );
}

function begin(document) {
  const known = operations(document);
  const one = { document, known, chosen: 0, answer: null, method: "GET", path: "/", body: "", type: "application/json", edit: 0, stop: null };
  choose(one, 0);
  return one;
}

function choose(one, index) {
  one.chosen = index;
  one.edit += 1;
  one.answer = null;
  const operation = one.known[index];
  if (!operation) return;
  const components = one.document.components;
  const properties = Object.fromEntries(operation.parameters.map((parameter) => [parameter.name, { description: parameter.description, ...parameter.schema }]));
  one.parameters = new Form(properties, operation.parameters.filter((parameter) => parameter.required).map((parameter) => parameter.name), components);
  const { schema } = resolve(operation.json, components);
  one.form = operation.json && schema.properties ? new Form(schema.properties, schema.required ?? [], components) : null;
  one.body = "";
  one.type = operation.type ?? "";
}

export function tryForm(endpoint) {
  const document = describe(endpoint, () => load(endpoint), changed);
  if (document === undefined) return h("div", { class: "send", "aria-busy": "true" });
  let one = tries.get(endpoint.id);
  if (!one || one.document !== document) {
    one = begin(document);
    tries.set(endpoint.id, one);
  }
  const operation = one.known[one.chosen];
  return h(
    "div",
    { class: "try" },
    one.known.length > 0 &&
      h(
        "div",
        { class: "rows routes", role: "list", "aria-label": "Routes" },
        one.known.map((known, index) =>
          h(
            "div",
            { key: `${known.method} ${known.path}`, role: "listitem" },
            h(
              "button",
              { type: "button", class: "row route", "data-row": true, "data-route": `${known.method.toUpperCase()} ${known.path}`, "aria-current": index === one.chosen ? "true" : null, onclick: () => (choose(one, index), changed()) },
              h("span", { class: `method ${known.method}` }, known.method.toUpperCase()),
              h("span", { class: "path" }, known.path),
              h("span", { class: "said" }, prose(known.text)),
            ),
          ),
        ),
      ),
    h(
      "form",
      {
        class: "send",
        key: `try ${one.edit}`,
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          submit(endpoint, one);
        },
      },
      operation ? operationForm(one, operation) : rawForm(one),
      one.said && h("ul", { class: "problems", role: "alert" }, one.said.map((line) => h("li", {}, line))),
      h(
        "div",
        { key: "actions", class: "actions start" },
        h("button", { type: "submit", class: "primary", disabled: one.stop !== null }, "Send"),
        one.stop && h("button", { type: "button", class: "quiet", onclick: () => one.stop.abort() }, "Stop"),
      ),
      !operation && h("p", { class: "note" }, "Nothing is known of this endpoint's routes, so any request can be made."),
    ),
    one.answer && answerView(one.answer),
  );
}

function operationForm(one, operation) {
  return [
    h("div", { class: "mode" }, h("h3", {}, h("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()), " ", h("span", { class: "path" }, operation.path))),
    operation.text && h("p", { class: "lead" }, prose(operation.text)),
    one.parameters.fields.length > 0 && h("div", { class: "fields-form" }, one.parameters.draw("parameter", changed)),
    one.form && h("div", { class: "fields-form" }, one.form.draw("body", changed)),
    !one.form && operation.type && [h("label", { for: "try-body" }, "Body", h("span", { class: "kind" }, operation.type)), bodyField(one)],
    one.parameters.fields.length === 0 && !one.form && !operation.type && h("p", { class: "note" }, "This route has no parameters."),
  ];
}

const bodyField = (one) => h("textarea", { id: "try-body", class: "mono editor", rows: 6, spellcheck: "false", value: one.body, oninput: (event) => (one.body = event.target.value) });

function rawForm(one) {
  return [
    h(
      "div",
      { class: "raw-line" },
      h("select", { "aria-label": "Method", oninput: (event) => ((one.method = event.target.value), changed()) }, METHODS.map((method) => h("option", { value: method.toUpperCase(), selected: method.toUpperCase() === one.method }, method.toUpperCase()))),
      h("input", { "aria-label": "Path", "data-field": "__path", class: "mono", autocomplete: "off", spellcheck: "false", value: one.path, oninput: (event) => (one.path = event.target.value) }),
    ),
    one.method !== "GET" && one.method !== "HEAD" && [h("label", { for: "try-body" }, "Body", h("span", { class: "kind" }, "JSON")), bodyField(one)],
  ];
}

/** Path, query and body of what is to be sent. */
function request(one) {
  const operation = one.known[one.chosen];
  if (!operation) {
    const body = one.method === "GET" || one.method === "HEAD" || one.body === "" ? undefined : one.body;
    return { method: one.method, path: one.path.startsWith("/") ? one.path : `/${one.path}`, body, type: one.type };
  }
  const said = [...one.parameters.missing(), ...(one.form?.missing() ?? [])];
  const empty = operation.parameters.filter((parameter) => parameter.in === "path" && one.parameters.fields.find((field) => field.name === parameter.name)?.text.trim() === "");
  said.push(...empty.map((parameter) => `${parameter.name}: missing`));
  let { path } = operation;
  const query = new URLSearchParams();
  for (const field of one.parameters.fields) {
    const text = field.text.trim();
    if (text === "") continue;
    const place = operation.parameters.find((parameter) => parameter.name === field.name)?.in;
    const value = field.input === "json" ? parse(text) : text;
    if (place === "path") path = path.replace(new RegExp(`\\{\\*?${field.name}\\}`), () => encodeURIComponent(text));
    else for (const item of Array.isArray(value) ? value : [value]) query.append(field.name, typeof item === "object" ? JSON.stringify(item) : String(item));
  }
  const body = one.form ? one.form.json() : operation.type && one.body !== "" ? one.body : undefined;
  return { method: operation.method.toUpperCase(), path: query.size > 0 ? `${path}?${query}` : path, body, type: one.type, said };
}

async function submit(endpoint, one) {
  const { method, path, body, type, said } = request(one);
  one.said = said?.length > 0 ? said : null;
  if (one.said) return changed();
  one.stop = new AbortController();
  const began = performance.now();
  const answer = (one.answer = { status: 0, text: "", headers: [], size: 0, took: 0, open: true });
  changed();
  try {
    const more = body !== undefined && type ? { "content-type": type } : {};
    const response = await fetch(`/lb/${encodeURIComponent(endpoint.id)}${path}`, { method, body, headers: headers(more), signal: one.stop.signal });
    answer.status = response.status;
    answer.headers = [...response.headers];
    answer.type = response.headers.get("content-type") ?? "";
    answer.took = performance.now() - began;
    changed();
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      answer.size += value.length;
      if (answer.text.length < SHOWN) answer.text += decoder.decode(value, { stream: true });
      changed();
    }
  } catch (error) {
    answer.failure = error.name === "AbortError" ? "Stopped." : "The platform does not answer.";
  }
  answer.open = false;
  answer.took = performance.now() - began;
  one.stop = null;
  changed();
}

function answerView(answer) {
  const good = answer.status >= 200 && answer.status < 400;
  const json = !answer.open && /json/.test(answer.type ?? "") && answer.text.length < SHOWN;
  return section(
    "Answer",
    h(
      "span",
      { class: "note answer-facts", role: "status" },
      answer.status ? h("span", { class: `badge ${good ? "done" : "failed"}`, "data-answer": String(answer.status) }, h("span", { class: "dot", "aria-hidden": "true" }), String(answer.status)) : "…",
      answer.took > 0 && duration(answer.took),
      bytes(answer.size),
    ),
    answer.failure && h("p", { class: "bad" }, answer.failure),
    answer.text && (json ? pretty(answer.text) : h("pre", { class: "json", tabindex: 0 }, answer.text.slice(0, SHOWN))),
    answer.headers.length > 0 && h("details", {}, h("summary", {}, "Headers"), h("dl", { class: "headers" }, answer.headers.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
  );
}
