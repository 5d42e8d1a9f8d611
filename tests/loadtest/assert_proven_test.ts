import { assertEquals, assertThrows } from "@std/assert";
import { assertProven, NotProvenError } from "../../loadtest/mod.ts";
import type { Finding } from "../../loadtest/judge/findings.ts";
import { pure } from "../_util/permissions.ts";

const text = "3 wrong replies";

function messageOf(findings: readonly Finding[]): string {
  return assertThrows(() => assertProven({ verdict: "failed", text, findings }), NotProvenError).message;
}

Deno.test("assertProven() counts findings that are alike once", pure, () => {
  const alike = [1, 2, 3].map((client) => ({ kind: "wrong", text: `Client ${client}` } as const));
  assertEquals(messageOf(alike), `Load test failed: ${text}\n  Client 1 (and 2 more like this)`);
});

Deno.test("assertProven() puts findings that follow from the cause below a heading", pure, () => {
  const lost = { kind: "lost", text: "Message 1", follows: true } as const;
  const wrong = { kind: "wrong", text: "Client 2" } as const;
  assertEquals(
    messageOf([wrong, lost]),
    `Load test failed: ${text}\n  Client 2\n  Follows from this:\n    Message 1`,
  );
});

Deno.test("assertProven() counts the findings that it does not show", pure, () => {
  const findings = ["a", "b", "c", "d", "e"].map((text) => ({ kind: "wrong", text } as const));
  assertEquals(messageOf(findings), `Load test failed: ${text}\n  a\n  b\n  c\n  and 2 more like these`);
});

Deno.test("assertProven() accepts proven and delivered runs", pure, () => {
  for (const verdict of ["proven", "delivered"] as const) assertProven({ verdict, text, findings: [] });
});
