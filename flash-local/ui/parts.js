// Small pieces that several views draw.

import { h } from "./dom.js";
import { bytes, duration, time } from "./format.js";
import { SAMPLES, changed, notify, state } from "./state.js";

const STATES = {
  IN_QUEUE: ["queued", "Queued"],
  IN_PROGRESS: ["running", "Running"],
  COMPLETED: ["done", "Completed"],
  FAILED: ["failed", "Failed"],
  TIMED_OUT: ["late", "Timed out"],
  CANCELLED: ["off", "Cancelled"],
  initialising: ["queued", "Initialising"],
  ready: ["done", "Ready"],
  busy: ["running", "Working"],
  unhealthy: ["failed", "Unhealthy"],
  draining: ["late", "Draining"],
  stopping: ["off", "Stopping"],
  ended: ["off", "Ended"],
  crashed: ["failed", "Crashed"],
};

export const look = (name) => STATES[name] ?? ["off", name];

export function badge(name) {
  const [kind, text] = look(name);
  return h("span", { class: `badge ${kind}` }, h("span", { class: "dot", "aria-hidden": "true" }), text);
}

/** The words of a doc comment, whose links and code are marked as rustdoc wants them. */
export const prose = (text) =>
  text
    .replace(/\[(`[^`]+`|[^\][]+)\](\([^)]*\)|\[[^\]]*\])?/g, "$1")
    .split(/(`[^`]+`)/)
    .map((part) => (/^`.+`$/.test(part) ? h("code", {}, part.slice(1, -1)) : part));

export const stat = (label, value, kind = "") =>
  h("div", { class: `stat ${kind}` }, h("dt", {}, label), h("dd", {}, value));

export function copy(text, what) {
  const onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      notify(`${what} copied`);
    } catch {
      notify("The browser did not allow copying", "bad");
    }
  };
  return h("button", { class: "quiet small", type: "button", onclick, title: `Copy ${what.toLowerCase()}` }, "Copy");
}

/** Depth over the last minute and a half: what runs, and above it what waits. */
export function spark(id, width = 120, height = 28) {
  const history = state.history.get(id) ?? [];
  const top = Math.max(4, ...history.map((sample) => sample.waiting + sample.running));
  const x = (index) => ((SAMPLES - history.length + index) / (SAMPLES - 1)) * width;
  const y = (value) => height - (value / top) * (height - 2);
  const points = (value) => history.map((sample, index) => `${x(index).toFixed(1)} ${y(value(sample)).toFixed(1)}`);
  const shown = history.length > 1;
  const between = (upper, lower) => (shown ? `M${[...points(upper), ...points(lower).reverse()].join("L")}Z` : "");
  const edge = (value) => (shown && history.some(value) ? `M${points(value).join("L")}` : "");
  const all = (sample) => sample.waiting + sample.running;
  const running = (sample) => sample.running;
  const last = history.at(-1) ?? { waiting: 0, running: 0 };
  return h(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `In the last 90 seconds; now ${last.waiting} waiting, ${last.running} running` },
    h("line", { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5 }),
    h("path", { class: "waiting", d: between(all, running) }),
    h("path", { class: "running", d: between(running, () => 0) }),
    h("path", { class: "edge", d: edge(running) }),
  );
}

/** A bar of phases, each as wide as it lasted: `[{ name, kind, from, to }]`, moments in milliseconds. */
export function bar(phases) {
  const total = phases.reduce((sum, phase) => sum + Math.max(0, phase.to - phase.from), 0);
  const text = phases.map((phase) => `${phase.name} ${duration(phase.to - phase.from)}`).join(", ");
  return h(
    "div",
    { class: "bar", role: "img", "aria-label": text, title: text },
    (total > 0 ? phases.filter((phase) => phase.to > phase.from) : phases.slice(-1)).map((phase) =>
      h("span", { class: phase.kind, style: { "flex-grow": String(total > 0 ? Math.max(0, phase.to - phase.from) / total : 1) } }),
    ),
  );
}

/** The same with words: what, how long, and when it began. */
export function timeline(phases, end) {
  return h(
    "div",
    { class: "timeline" },
    bar(phases),
    h(
      "ol",
      {},
      phases.map((phase) =>
        h(
          "li",
          {},
          h("span", { class: `mark ${phase.kind}`, "aria-hidden": "true" }),
          h("span", { class: "what" }, phase.name),
          h("span", { class: "long" }, duration(phase.to - phase.from), phase.open ? " so far" : ""),
          h("time", {}, time(phase.from)),
        ),
      ),
      end && h("li", {}, h("span", { class: `mark ${end.kind}`, "aria-hidden": "true" }), h("span", { class: "what" }, end.name), h("span", { class: "long" }), h("time", {}, time(end.at))),
    ),
  );
}

/** JSON text with its lines and colours. Numbers stay as they were written: some have more digits than a script can hold. */
export function pretty(text) {
  if (text.length > 200_000) return h("pre", { class: "json", tabindex: 0 }, text);
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g) ?? [text];
  const out = [];
  let plain = "";
  let depth = 0;
  const flush = () => {
    if (plain) out.push(plain);
    plain = "";
  };
  const line = () => (plain += `\n${"  ".repeat(depth)}`);
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      plain += token;
      if (next === "}" || next === "]") return;
      depth += 1;
      line();
    } else if (token === "}" || token === "]") {
      const before = tokens[index - 1];
      if (before !== "{" && before !== "[") {
        depth -= 1;
        line();
      }
      plain += token;
    } else if (token === ",") {
      plain += ",";
      line();
    } else if (token === ":") {
      plain += ": ";
    } else {
      const kind = token[0] === '"' ? (next === ":" ? "name" : "text") : /^[-\d]/.test(token) ? "number" : "word";
      flush();
      out.push(h("span", { class: kind }, token));
    }
  });
  flush();
  return h("pre", { class: "json", tabindex: 0 }, out);
}

/** Data of a job: `{ json }`, `{ text }`, or the beginning of something long. */
export function data(part) {
  if (part.json !== undefined) return pretty(part.json);
  if (part.text !== undefined) return h("pre", { class: "json", tabindex: 0 }, part.text);
  return [h("pre", { class: "json", tabindex: 0 }, `${part.start}…`), h("p", { class: "note" }, `The beginning of ${bytes(part.bytes)}.`)];
}

export const plain = (part) => part.json ?? part.text ?? part.start;

export const section = (title, side, ...content) =>
  h("section", { class: "part" }, h("div", { class: "part-head" }, h("h3", {}, title), side), content);

export const empty = (title, ...text) => h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text.length > 0 && h("p", {}, text));

/** Asks before something that can not be undone. */
let question = null;

export function confirm({ title, text, action, run }) {
  question = { title, text, action, run, from: document.activeElement };
  changed();
}

export function dialog() {
  if (!question) return null;
  const close = () => {
    const from = question?.from;
    question = null;
    changed();
    from?.focus?.();
  };
  const yes = () => {
    const { run } = question;
    close();
    run();
  };
  return h(
    "dialog",
    { key: "question", class: "question", "aria-labelledby": "question-title", mount: (element) => element.showModal(), oncancel: (event) => (event.preventDefault(), close()) },
    h("h2", { id: "question-title" }, question.title),
    h("p", {}, question.text),
    h("div", { class: "actions" }, h("button", { type: "button", class: "quiet", onclick: close, autofocus: true }, "Keep"), h("button", { type: "button", class: "danger", onclick: yes }, question.action)),
  );
}
