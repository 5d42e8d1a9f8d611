import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeEnvelope, encodeEnvelope, type Envelope } from "../../../relay/cluster/envelope.ts";
import { pure } from "../../_util/permissions.ts";

const from = fc.stringMatching(/^[A-Za-z0-9-]{1,64}$/);
const sequence = fc.nat();
const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", ""));
const envelopes: fc.Arbitrary<Envelope> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("beat" as const, "hello" as const),
    from,
    sequence,
    connections: fc.nat(),
  }),
  fc.record({ kind: fc.constant("bye" as const), from, sequence }),
  fc.record({ kind: fc.constant("lines" as const), from, sequence, lines: fc.array(line, { minLength: 1 }) }),
);

Deno.test("decodeEnvelope() reverses encodeEnvelope()", pure, () => {
  fc.assert(fc.property(envelopes, (envelope) => {
    assertEquals(decodeEnvelope(encodeEnvelope(envelope)), envelope);
  }));
});

Deno.test("decodeEnvelope() returns undefined for other versions and malformed messages", pure, () => {
  for (
    const message of [
      "",
      "okline/2 a 1 bye",
      "okline/1 a 1",
      "okline/1 a 1 hello",
      "okline/1 a 1 bye now",
      "okline/1 a 1 bye\nline",
      "okline/1 a x bye",
      "okline/1 a -1 bye",
      "okline/1 a 01 bye",
      "okline/1 a_b 1 bye",
      `okline/1 ${"a".repeat(65)} 1 bye`,
      "okline/1  1 bye",
      "okline/1 a 1 beat",
      "okline/1 a 1 beat 1.5",
      "okline/1 a 1 beat 1 2",
      "okline/1 a 1 beat 1\nline",
      "okline/1 a 1 lines",
      "okline/1 a 1 lines 2\nline",
    ]
  ) assertEquals(decodeEnvelope(message), undefined, message);
});

Deno.test("decodeEnvelope() never throws", pure, () => {
  fc.assert(fc.property(fc.string(), (message) => {
    decodeEnvelope(message);
    decodeEnvelope(`okline/1 ${message}`);
  }));
});
