// What the page knows, and where the reader is.

import { Refused, events, key } from "./api.js";

/** Samples of the queue's depth that a small graph shows, one a second. */
export const SAMPLES = 90;

export const state = {
  /** `connecting`, `live`, `lost`, or `key` when the platform wants one. */
  connection: "connecting",
  wrongKey: false,
  base: location.origin,
  version: "",
  /** How far the platform's clock is ahead of this one. */
  ahead: 0,
  complete: false,
  order: [],
  endpoints: new Map(),
  history: new Map(),
  trouble: "",
  /** A page of the list of jobs. */
  list: { of: "", jobs: [], more: false, loading: false },
  job: null,
  log: { of: "", lines: [], last: 0, fresh: 0 },
  notice: null,
  /** An input that is to be edited and sent: `{ endpoint, text }`. */
  draft: null,
};

let redraw = () => {};
let planned = false;

export const onchange = (draw) => (redraw = draw);

export function changed() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    redraw();
  });
}

export const now = () => Date.now() + state.ahead;

/** Where the reader is: `#/e/{endpoint}/{tab}/{item}?status=…&before=…`. `before` is the last job of the page before. */
export function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map(decode);
  const search = new URLSearchParams(query ?? "");
  const rest = { status: search.get("status"), before: search.get("before") };
  if (parts[0] !== "e" || !parts[1]) return { endpoint: null, tab: null, item: null, ...rest };
  return { endpoint: parts[1], tab: parts[2] || null, item: parts[3] || null, ...rest };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view. Of `list` the filter and the page of the list are kept. */
export function link(endpoint, tab, item, list) {
  if (!endpoint) return "#/";
  const path = ["e", endpoint, tab, item].filter(Boolean).map(encodeURIComponent).join("/");
  const query = new URLSearchParams();
  for (const name of ["status", "before"]) if (list?.[name]) query.set(name, list[name]);
  return `#/${path}${query.size > 0 ? `?${query}` : ""}`;
}

export const go = (...where) => (location.hash = link(...where));

/** Says something to the reader, and to screen readers, for a while. */
export function notify(text, kind = "info") {
  const notice = { text, kind };
  state.notice = notice;
  changed();
  setTimeout(() => {
    if (state.notice === notice) {
      state.notice = null;
      changed();
    }
  }, 6000);
}

let following = null;

/** Follows what the reader looks at. Called again whenever that changes. */
export function follow() {
  following?.abort();
  const mine = (following = new AbortController());
  const at = route();
  const list = `${at.endpoint} ${at.status} ${at.before}`;
  if (state.list.of !== list) state.list = { of: list, jobs: [], more: false, loading: at.endpoint !== null };
  if (at.tab !== "jobs" || state.job?.id !== at.item) state.job = null;
  const worker = at.tab === "workers" ? at.item : null;
  if (state.log.of !== (worker ?? "")) state.log = { of: worker ?? "", lines: [], last: 0, fresh: 0 };
  run(mine.signal, at, worker);
}

async function run(signal, at, worker) {
  let pause = 300;
  while (!signal.aborted) {
    const query = new URLSearchParams();
    const [submitted, id] = at.before?.split("~") ?? [];
    for (const [name, value] of Object.entries({ endpoint: at.endpoint, status: at.status, submitted, id, job: at.tab === "jobs" ? at.item : null, worker, after: state.log.last })) {
      if (value) query.set(name, value);
    }
    try {
      await events(`/ui/api/events?${query}`, signal, (event, data) => {
        if (signal.aborted) return;
        pause = 300;
        hear(event, data);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status === 401) {
        state.wrongKey = key.get() !== "";
        state.connection = "key";
        changed();
        return;
      }
    }
    if (signal.aborted) return;
    state.connection = "lost";
    changed();
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.7, 4000);
  }
}

function hear(event, data) {
  state.connection = "live";
  if (data.now) state.ahead = data.now - Date.now();
  const is = data.is;
  switch (event) {
    case "hello":
      if (state.version && state.version !== data.version) location.reload();
      state.base = data.base;
      state.version = data.version;
      break;
    case "endpoint":
      state.endpoints.set(is.id, is);
      break;
    case "endpoints":
      state.order = is;
      state.complete = true;
      for (const id of state.endpoints.keys()) if (!is.includes(id)) state.endpoints.delete(id);
      break;
    case "history":
      for (const [id, samples] of Object.entries(is)) {
        state.history.set(id, samples.map(([waiting, running]) => ({ waiting, running })));
      }
      break;
    case "jobs":
      state.trouble = "";
      state.list.jobs = is.jobs;
      state.list.loading = false;
      state.list.more = is.more;
      break;
    case "job":
      state.job = is;
      break;
    case "log":
      append(data);
      break;
    case "trouble":
      state.trouble = is;
      break;
  }
  changed();
}

/** Lines that the page keeps. The platform keeps more. */
const LINES = 3000;

function append({ worker, lines }) {
  const log = state.log;
  if (log.of !== worker) return;
  const fresh = lines.filter((line) => line.number > log.last);
  if (fresh.length === 0) return;
  log.lines.push(...fresh);
  if (log.lines.length > LINES) log.lines.splice(0, log.lines.length - LINES);
  log.last = fresh.at(-1).number;
  log.fresh += fresh.length;
}

/** Takes a sample of every queue. */
export function sample() {
  for (const [id, endpoint] of state.endpoints) {
    const history = state.history.get(id) ?? [];
    history.push({ waiting: endpoint.waiting, running: endpoint.running });
    if (history.length > SAMPLES) history.shift();
    state.history.set(id, history);
  }
}
