import { assertEquals } from "@std/assert";
import { DatagramGuard } from "../../../services/udp/guard.ts";
import { isLocalAddress } from "../../../services/udp/local_address.ts";
import type { Address } from "../../../socket/mod.ts";
import { pure } from "../../_util/permissions.ts";

function at(hostname: string, port = 12_345): Address {
  return { hostname, port };
}

Deno.test("DatagramGuard.judge() ignores datagrams with the address of the service", pure, () => {
  const guard = new DatagramGuard({ own: [at("127.0.0.1"), at("::1")], rate: 0 });
  assertEquals(guard.judge(at("127.0.0.1"), 0), "own");
  assertEquals(guard.judge(at("::1"), 0), "own");
  assertEquals(guard.judge(at("::ffff:127.0.0.1"), 0), "own");
  assertEquals(guard.judge(at("127.0.0.1", 12_346), 0), "answer");
  assertEquals(guard.judge(at("127.0.0.2"), 0), "answer");
});

Deno.test(
  "DatagramGuard.judge() ignores each local address at the own port when a wildcard is bound",
  pure,
  () => {
    const asked: string[] = [];
    const isLocal = (hostname: string) => asked.push(hostname) > 0 && hostname.startsWith("10.");
    for (const wildcard of ["0.0.0.0", "::"]) {
      const guard = new DatagramGuard({ own: [at(wildcard)], rate: 0, isLocal });
      assertEquals(guard.judge(at("10.0.0.7"), 0), "own");
      assertEquals(guard.judge(at("192.0.2.1"), 0), "answer");
      assertEquals(guard.judge(at("10.0.0.7", 5000), 0), "answer");
    }
    assertEquals(asked, ["10.0.0.7", "192.0.2.1", "10.0.0.7", "192.0.2.1"]);
  },
);

Deno.test(
  "DatagramGuard.judge() ends an exchange between two services within a second's worth of answers",
  pure,
  () => {
    const one = { address: at("192.0.2.1"), guard: new DatagramGuard({ own: [at("192.0.2.1")], rate: 100 }) };
    const two = { address: at("192.0.2.2"), guard: new DatagramGuard({ own: [at("192.0.2.2")], rate: 100 }) };
    let [from, to] = [one, two];
    let answers = 0;
    // Each answer takes 50 µs to arrive, and is the next request.
    for (let now = 0; to.guard.judge(from.address, now) === "answer" && answers < 10_000; now += 0.05) {
      answers++;
      [from, to] = [to, from];
    }
    assertEquals(answers, 202);
  },
);

Deno.test("DatagramGuard.judge() limits each source separately, and evicts the oldest of many", pure, () => {
  const guard = new DatagramGuard({ own: [], rate: 1 });
  assertEquals(guard.judge(at("10.0.0.1", 1), 0), "answer");
  assertEquals(guard.judge(at("10.0.0.1", 2), 0), "limited");
  for (let source = 0; source < 10_000; source++) {
    assertEquals(guard.judge(at(`source ${source}`), 0), "answer");
  }
  assertEquals(guard.judge(at("10.0.0.1", 3), 0), "answer");
  assertEquals(guard.judge(at("source 9999"), 0), "limited");
});

Deno.test("isLocalAddress() is true only for addresses of this machine", () => {
  assertEquals(["127.0.0.1", "127.0.0.9", "::1", "192.0.2.1"].map(isLocalAddress), [true, true, true, false]);
});
