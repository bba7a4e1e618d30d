// Numbers as the user's language writes them.

import { env } from "vscode";

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
const gigabyte = 1024 * megabyte;

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

/** `1.4 GB`, from gigabytes that are known no better than that. */
export function gigabytes(count: number): string {
  return `${decimals(count, 1)} GB`;
}

/** `9.0/16 GB`: short, and of a steady width, for the status bar. */
export function usedOfTotal(used: number, total: number): string {
  return `${decimals(used / gigabyte, 1)}/${decimals(total / gigabyte, 0)} GB`;
}

/** `12,345`. */
export function count(value: number): string {
  return decimals(value, 0);
}

/** `56%`, from 0 to 100. */
export function percent(value: number): string {
  return new Intl.NumberFormat(env.language, { style: "percent" }).format(value / 100);
}

/** `97.3%`, from 0 to 1, with at most so many decimals. */
export function fraction(value: number, decimals: number): string {
  return new Intl.NumberFormat(env.language, { style: "percent", maximumFractionDigits: decimals }).format(value);
}

/** `840 µs`, `12.5 ms`. */
export function duration(microseconds: number): string {
  return microseconds < 1000 ? `${decimals(microseconds, 0)} µs` : `${decimals(microseconds / 1000, 1)} ms`;
}

/** `340 ms`, `12.5 s`: a model's times, which are not known to the microsecond. */
export function patience(milliseconds: number): string {
  return Math.round(milliseconds) < 1000 ? `${decimals(milliseconds, 0)} ms` : `${decimals(milliseconds / 1000, 1)} s`;
}

/** `Nov 3, 2025, 2:05 PM`, in local time, from ISO 8601. */
export function moment(iso: string): string {
  return new Intl.DateTimeFormat(env.language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** `2:35 PM`, in local time. */
export function clock(time: Date): string {
  return new Intl.DateTimeFormat(env.language, { timeStyle: "short" }).format(time);
}

function decimals(value: number, digits: number): string {
  return new Intl.NumberFormat(env.language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}
