// Talks to the platform this page comes from.

const KEY = "flash-key";

/** The reader's key stays in this tab, and goes only where it is sent. */
export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (text) => (text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY)),
};

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export function headers(more = {}) {
  return key.get() ? { authorization: `Bearer ${key.get()}`, ...more } : more;
}

/** Sends a request and gives the parsed answer. `body` is JSON text. */
export async function call(method, path, body, signal) {
  const options = { method, signal, headers: headers(body === undefined ? {} : { "content-type": "application/json" }), body };
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The platform does not answer.");
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Said below, or an empty answer.
  }
  if (!response.ok) throw new Refused(response.status, answer?.error ?? answer?.detail ?? `${response.status} ${response.statusText}`);
  return answer;
}

/** How long a connection may be silent. The platform says something every five seconds. */
const SILENCE = 15_000;

/** Reads a stream of server-sent events until it ends. `EventSource` can not send a key. */
export async function events(path, signal, heard) {
  const silence = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE);
  };
  alive();
  try {
    const response = await fetch(path, { headers: headers(), signal: AbortSignal.any([signal, silence.signal]), cache: "no-store" });
    if (!response.ok) throw new Refused(response.status, `${response.status} ${response.statusText}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const line = (name) => block.split("\n").find((text) => text.startsWith(name))?.slice(name.length);
        const data = line("data: ");
        if (data !== undefined) heard(line("event: ") ?? "message", JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
