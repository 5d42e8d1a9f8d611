// Numbers as the page shows them: short, and as wide as before.

const NONE = "–";

/** A count: `1,234`, and `1.23M` from a million on. */
export function count(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return Math.round(value).toLocaleString("en");
}

/** A size: `12.3 KiB`. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

/** A duration: `0.4 ms`, `12 ms`, `3.1 s`, `2 min`, `5 h`, `3 d`. */
export function duration(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** A time of day, with its date if that is not today. */
export function time(at) {
  const date = new Date(at);
  const clock = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString()
    ? clock
    : `${date.toISOString().slice(0, 10)} ${clock}`;
}

/** The rate per second of a counter between two samples, or `null` before there are two, or if they are too close. */
export function rate(now, before, key) {
  if (before === undefined || now[key] === null || before[key] === null) return null;
  const seconds = (now.at - before.at) / 1000;
  return seconds >= 0.5 ? Math.max(0, now[key] - before[key]) / seconds : null;
}
