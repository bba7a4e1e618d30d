// Histories of memory on a laptop of 16 GB, for the tests to vary.

import type { MemoryEvent, MemoryHistory, MemorySample } from "../../src/server/protocol";

export const gigabyte = 1024 ** 3;

export function event(changes: Partial<MemoryEvent> = {}): MemoryEvent {
  return { at: "2025-11-03T12:00:00Z", kind: "load", id: "ollama:llama3.2:1b", bytes: 2 * gigabyte, reason: "You chose it.", ...changes };
}

/** The models are `ollama:0`, `ollama:1` and so on, of so many gigabytes. */
export function sample(models: number[], changes: Partial<MemorySample> = {}): MemorySample {
  return {
    at: "2025-11-03T12:00:00Z",
    totalBytes: 16 * gigabyte,
    availableBytes: 8 * gigabyte,
    limitBytes: 6 * gigabyte,
    models: models.map((size, index) => ({ id: `ollama:${index}`, bytes: size * gigabyte })),
    ...changes,
  };
}

export function withoutSystem({ at, limitBytes, models }: MemorySample): MemorySample {
  return { at, limitBytes, models };
}

export const dayEnd = Date.parse("2025-11-03T12:00:00Z");

/** The day before {@link dayEnd}, a sample every 30 s. */
export function day(models: (index: number) => number[], events: MemoryEvent[] = []): MemoryHistory {
  return {
    samples: Array.from({ length: 2881 }, (_, index) => sample(models(index), { at: minutesBefore((2880 - index) / 2) })),
    events,
  };
}

export function minutesBefore(minutes: number): string {
  return new Date(dayEnd - minutes * 60_000).toISOString();
}
