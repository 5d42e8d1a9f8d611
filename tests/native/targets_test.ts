import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Targets } from "../../native/targets.ts";

const pure = { permissions: "none" } as const;

Deno.test("Targets.of() encodes an address once, and gives it as sockets do", pure, () => {
  const targets = new Targets();
  const target = targets.of({ hostname: "127.0.0.1", port: 8000 })!;
  assertStrictEquals(targets.of({ hostname: "127.0.0.1", port: 8000 }), target);
  assertEquals(target.remote, { hostname: "127.0.0.1", port: 8000 });
  assertEquals(targets.of({ hostname: "0:0::1", port: 8000 })?.remote, { hostname: "::1", port: 8000 });
  assertEquals(targets.of({ hostname: "127.0.0.1", port: 8001 })?.remote.port, 8001);
});

Deno.test("Targets.of() returns undefined for a name, and rejects a port out of range", pure, () => {
  const targets = new Targets();
  assertEquals(targets.of({ hostname: "localhost", port: 1 }), undefined);
  assertThrows(() => targets.of({ hostname: "127.0.0.1", port: 65_536 }), RangeError, "65536");
});

Deno.test("Targets.of() forgets addresses when there are many", pure, () => {
  const targets = new Targets();
  const first = targets.of({ hostname: "127.0.0.1", port: 1 });
  for (let port = 2; port <= 1000; port++) {
    assertEquals(targets.of({ hostname: "127.0.0.1", port })?.remote.port, port);
  }
  const again = targets.of({ hostname: "127.0.0.1", port: 1 });
  assertEquals([again, again === first], [first, false]);
});
