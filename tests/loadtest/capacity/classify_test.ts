import { assertEquals } from "@std/assert";
import { classifyRun } from "../../../loadtest/capacity/classify.ts";
import type { Finding } from "../../../loadtest/judge/findings.ts";

const permissions = "none";

Deno.test({
  name: "classifyRun() distinguishes the limits of the server, the generator, and the network",
  permissions,
  fn: () => {
    const crossed = [{ expression: "p99<5ms", actual: 9, unit: "ms", holds: false, aborted: false } as const];
    const finding = (kind: Finding["kind"], text: string): Finding[] => [{ kind, text }];
    const classify = (
      verdict: Parameters<typeof classifyRun>[0]["verdict"],
      findings: Finding[] = [],
      thresholds: typeof crossed | [] = [],
    ) => classifyRun({ verdict, findings, thresholds }).result;
    assertEquals(classify("proven"), "held");
    assertEquals(classify("delivered"), "held");
    assertEquals(classify("threshold", [], crossed), "failed");
    assertEquals(classify("failed", finding("lost", "Client 1")), "failed");
    assertEquals(classify("invalid", finding("overloaded", "late")), "invalid");
    // Wrong replies of a run that was late as well: not even they count against the server's capacity.
    assertEquals(classify("failed", [...finding("lost", "x"), ...finding("overloaded", "late")]), "invalid");
    assertEquals(classify("failed", finding("died", "Generator process 0")), "invalid");
    assertEquals(
      classify(
        "failed",
        finding("reason", "Could not connect 5 times: Cannot connect to 127.0.0.1:1: exhausted"),
      ),
      "network",
    );
    assertEquals(
      classify("failed", finding("reason", "Could not connect once: Cannot connect to 127.0.0.1:1: refused")),
      "failed",
    );
  },
});
