// What went wrong, for the user to read. Pure.

/** A failure told in words for the user, with what they can do about it. */
export class UserError extends Error {
  constructor(message: string, readonly remedy?: Remedy) {
    super(message);
  }
}

export type Remedy =
  | { kind: "link"; title: string; url: string }
  | { kind: "command"; title: string; command: string; arguments: unknown[] };
