// Numbers and moments as people read them.

const whole = new Intl.NumberFormat("en", { useGrouping: true });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const count = (number) => whole.format(number).replaceAll(",", "\u202f");

/** A large number in few characters: 12, 1 234, 56.7k, 1.2M. */
export function short(number) {
  if (number < 10_000) return count(number);
  if (number < 999_500) return `${(number / 1000).toFixed(number < 99_950 ? 1 : 0)}k`;
  return `${(number / 1_000_000).toFixed(1)}M`;
}

export function duration(millis) {
  const ms = Math.max(0, millis);
  if (ms < 1000) return `${Math.round(ms)}\u202fms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}\u202fs`;
  if (seconds < 59.5) return `${Math.round(seconds)}\u202fs`;
  const minutes = seconds / 60;
  if (seconds < 3600) return parts(Math.floor(seconds / 60), "min", Math.floor(seconds % 60), "s");
  if (minutes < 48 * 60) return parts(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "min");
  return `${Math.round(seconds / 86_400)}\u202fdays`;
}

const parts = (large, unit, small, other) => (small === 0 ? `${large}\u202f${unit}` : `${large}\u202f${unit} ${small}\u202f${other}`);

export function ago(at, now) {
  const passed = now - at;
  if (passed < 1500) return "now";
  if (passed < 3_600_000 * 20) return `${passed < 59_500 ? `${Math.round(passed / 1000)}\u202fs` : passed < 3_570_000 ? `${Math.round(passed / 60_000)}\u202fmin` : `${Math.round(passed / 3_600_000)}\u202fh`} ago`;
  return day.format(at);
}

/** The time of day, with milliseconds where they matter. */
export function time(at, exact = true) {
  const text = clock.format(at);
  return exact ? `${text}.${String(at % 1000).padStart(3, "0")}` : text;
}

export function bytes(size) {
  if (size < 1024) return `${size}\u202fB`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(size < 10_240 ? 1 : 0)}\u202fKiB`;
  return `${(size / 1024 / 1024).toFixed(1)}\u202fMiB`;
}

/** The part of a job's id that tells it from others: what stands in its middle is the same for neighbours. */
export function brief(id) {
  return id.length > 24 ? `${id.slice(0, id.startsWith("sync-") ? 18 : 13)}…${id.slice(-9)}` : id;
}
