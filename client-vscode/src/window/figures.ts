// Numbers as the user's language writes them.

import { env } from "vscode";

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
export const gigabyte = 1024 * megabyte;

// As wide as a digit.
const figureSpace = "\u2007";

/** `812 KB`, `24 MB`, `1.5 GB`; a kilobyte is 1024 bytes, as in every system monitor. */
export function bytes(count: number): string {
  // By what is printed, so that nothing reads "1,024 MB".
  if (Math.round(count / kilobyte) < 1024) {
    return `${decimals(count / kilobyte, 0)} KB`;
  }

  return Math.round(count / megabyte) < 1024
    ? `${decimals(count / megabyte, 0)} MB`
    : `${decimals(count / gigabyte, 1)} GB`;
}

/** `1.4 GB`, from gigabytes that are known to so many digits. */
export function gigabytes(count: number, digits = 1): string {
  return `${decimals(count, digits)} GB`;
}

/** `9.0/16 GB`: short, and of a steady width, for the status bar. */
export function usedOfTotal(used: number, total: number): string {
  const all = decimals(total / gigabyte, 0);
  // A point and a decimal more than the total: as wide as it can become.
  return `${decimals(used / gigabyte, 1).padStart(all.length + 2, figureSpace)}/${all} GB`;
}

/** `12,345`. */
export function count(value: number): string {
  return decimals(value, 0);
}

/** `56%`, from 0 to 100. */
export function percent(value: number): string {
  return new Intl.NumberFormat(env.language, { style: "percent" }).format(value / 100);
}

/** {@link percent} of a steady width below one hundred. */
export function steadyPercent(value: number): string {
  return percent(value).padStart(percent(10).length, figureSpace);
}

/** `97.3%`, from 0 to 1, with at most so many decimals, and at least as many as a column of figures needs. */
export function fraction(value: number, decimals: number, atLeast = 0): string {
  return new Intl.NumberFormat(env.language, { style: "percent", minimumFractionDigits: atLeast, maximumFractionDigits: decimals }).format(value);
}

/** `840 µs`, `12.5 ms`. */
export function duration(microseconds: number): string {
  return microseconds < 1000 ? `${decimals(microseconds, 0)} µs` : `${decimals(microseconds / 1000, 1)} ms`;
}

/** `340 ms`, `12.5 s`: a model's times, which are not known to the microsecond. */
export function patience(milliseconds: number): string {
  return Math.round(milliseconds) < 1000 ? `${decimals(milliseconds, 0)} ms` : `${decimals(milliseconds / 1000, 1)} s`;
}

/** `10 minutes`, `3 hours`, `2 days`: how long something has been so, rounded down to few enough steps to stay the same for a while. */
export function span(minutes: number): string {
  const inWords = (value: number, unit: string): string =>
    new Intl.NumberFormat(env.language, { style: "unit", unit, unitDisplay: "long" }).format(value);
  if (minutes < 60) {
    return inWords(Math.floor(minutes / 5) * 5, "minute");
  }

  return minutes < 24 * 60 ? inWords(Math.floor(minutes / 60), "hour") : inWords(Math.floor(minutes / 60 / 24), "day");
}

/** `Nov 3, 2025, 2:05 PM`, in local time, from ISO 8601. */
export function moment(iso: string): string {
  return new Intl.DateTimeFormat(env.language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** `2:05 PM`, in local time, from milliseconds since 1970. */
export function timeOfDay(at: number): string {
  return new Intl.DateTimeFormat(env.language, { timeStyle: "short" }).format(new Date(at));
}

/** `Nov 3`, in local time, from milliseconds since 1970. */
export function dayOfMonth(at: number): string {
  return new Intl.DateTimeFormat(env.language, { month: "short", day: "numeric" }).format(new Date(at));
}

/** `5.5`, `6`: with as many decimals as it has, up to two. */
export function plainNumber(value: number): string {
  return new Intl.NumberFormat(env.language, { maximumFractionDigits: 2, useGrouping: false }).format(value);
}

/** `3.42`, with so many decimals. */
export function decimals(value: number, digits: number): string {
  return new Intl.NumberFormat(env.language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}
