// A form for an object, made from its schema, and what it says as JSON text.

import { h } from "./dom.js";
import { prose } from "./parts.js";
import { example, kind, resolve } from "./schema.js";

/** What stands in the fields of a form. */
export class Form {
  constructor(properties, required, components, fixed = {}) {
    this.fixed = fixed;
    // What is needed comes first, in the order in which it was declared.
    const place = (name) => (required.includes(name) ? required.indexOf(name) : required.length);
    const order = Object.entries(properties).sort(([a], [b]) => place(a) - place(b));
    this.fields = order.map(([name, schema]) => {
      const { schema: real, optional } = resolve(schema, components);
      const needed = required.includes(name);
      const simple = real.enum ? "choice" : { string: "text", integer: "number", number: "number", boolean: "bool" }[real.type] ?? "json";
      const start = needed ? example(schema, components) : real.default;
      return { name, real, needed, optional, input: simple, kind: kind(schema, components), text: starting(simple, start, needed) };
    });
  }

  /** The fields as JSON text. Numbers go through as they were typed. */
  json() {
    const entries = Object.entries(this.fixed).map(([name, value]) => [name, JSON.stringify(value)]);
    for (const field of this.fields) {
      const text = literal(field);
      if (text !== null) entries.push([field.name, text]);
    }
    return `{${entries.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
  }

  /** What is not ready to be sent: `[{ name, problem }]`. */
  missing() {
    return this.fields.flatMap((field) => {
      const text = field.text.trim();
      if (field.needed && text === "" && field.input !== "text") return [`${field.name}: missing`];
      if (text === "") return [];
      if (field.input === "number" && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return [`${field.name}: not a number`];
      if (field.input === "json" && parse(text) === undefined) return [`${field.name}: not JSON`];
      return [];
    });
  }

  draw(id, changed) {
    return this.fields.map((field, index) => draw(field, `${id}-${index}`, changed));
  }
}

function starting(input, value, needed) {
  if (value === undefined || value === null) return input === "bool" && needed ? "true" : "";
  return input === "text" && typeof value === "string" ? (value === "text" ? "" : value) : typeof value === "string" && input === "choice" ? value : JSON.stringify(value);
}

function literal(field) {
  const text = field.text;
  switch (field.input) {
    case "text":
      return text === "" && !field.needed ? null : JSON.stringify(text);
    case "choice": {
      if (text === "") return null;
      const found = field.real.enum.find((one) => String(one) === text);
      return JSON.stringify(found ?? text);
    }
    default:
      return text.trim() === "" ? null : text.trim();
  }
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function draw(field, id, changed) {
  const set = (event) => {
    field.text = event.target.value;
    changed();
  };
  const shared = { id, name: field.name, "data-field": field.name, oninput: set, "aria-required": String(field.needed), "aria-describedby": field.real.description ? `${id}-note` : null };
  let input;
  if (field.input === "choice" || field.input === "bool") {
    const options = field.input === "bool" ? ["true", "false"] : field.real.enum.map(String);
    input = h(
      "select",
      shared,
      [...(field.needed ? [] : [""]), ...options].map((option) => h("option", { value: option, selected: option === field.text }, option === "" ? "not set" : option)),
    );
  } else if (field.input === "number") {
    input = h("input", { ...shared, inputmode: "decimal", autocomplete: "off", value: field.text, placeholder: field.needed ? "" : "not set" });
  } else {
    const rows = field.input === "json" ? Math.min(8, Math.max(2, field.text.split("\n").length)) : 1;
    input = h("textarea", { ...shared, rows, spellcheck: "false", class: field.input === "json" ? "mono" : "grow", value: field.text, placeholder: field.needed ? "" : "not set" });
  }
  return h(
    "div",
    { class: "field", key: field.name },
    h("label", { for: id }, field.name, h("span", { class: "kind" }, field.kind, field.needed ? "" : ", optional")),
    input,
    field.real.description && h("p", { class: "note", id: `${id}-note` }, prose(field.real.description)),
  );
}
