/** The wire format between nodes: a header line, then lines of the relay protocol. Pure. @module */

/** Version of the format. A node ignores messages of any other, and counts them. */
export const VERSION = 1;

/** A message between nodes. */
export type Envelope =
  /** A node is alive, with this many connections to choose from. `hello` asks the others to answer with a `beat`. */
  | Header & { readonly kind: "beat" | "hello"; readonly connections: number }
  /** A node leaves for good. */
  | Header & { readonly kind: "bye" }
  /** Lines for the connections of a node: `message X`, `ok X`, or `return X`. */
  | Header & { readonly kind: "lines"; readonly lines: readonly string[] };

interface Header {
  /** Id of the sender. */
  readonly from: string;
  /** Counts the messages of the sender, from 1. */
  readonly sequence: number;
}

/** The prefix of a line that a node sends back because none of its connections can take the message. */
export const RETURN = "return ";

const NODE = /^[A-Za-z0-9-]{1,64}$/;
const COUNT = /^(0|[1-9]\d{0,14})$/;

/**
 * Encodes an envelope.
 *
 * @example
 * ```ts
 * import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const message = encodeEnvelope({ kind: "beat", from: "a", sequence: 1, connections: 20 });
 * assertEquals(message, "okline/1 a 1 beat 20");
 * assertEquals(decodeEnvelope(message)?.kind, "beat");
 * ```
 */
export function encodeEnvelope(envelope: Envelope): string {
  const header = `okline/${VERSION} ${envelope.from} ${envelope.sequence} ${envelope.kind}`;
  switch (envelope.kind) {
    case "beat":
    case "hello":
      return `${header} ${envelope.connections}`;
    case "bye":
      return header;
    case "lines":
      return `${header}\n${envelope.lines.join("\n")}`;
  }
}

/** Decodes an envelope. Returns `undefined` for another version, and for anything malformed. */
export function decodeEnvelope(message: string): Envelope | undefined {
  const end = message.indexOf("\n");
  const header = end < 0 ? message : message.slice(0, end);
  const [format, from = "", count = "", kind, connections, ...rest] = header.split(" ");
  if (format !== `okline/${VERSION}` || !NODE.test(from) || !COUNT.test(count) || rest.length > 0) {
    return undefined;
  }
  const sequence = Number(count);
  switch (kind) {
    case "beat":
    case "hello":
      if (end >= 0 || connections === undefined || !COUNT.test(connections)) return undefined;
      return { kind, from, sequence, connections: Number(connections) };
    case "bye":
      return end >= 0 || connections !== undefined ? undefined : { kind, from, sequence };
    case "lines":
      if (end < 0 || connections !== undefined) return undefined;
      return { kind, from, sequence, lines: message.slice(end + 1).split("\n") };
    default:
      return undefined;
  }
}
