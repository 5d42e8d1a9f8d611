/** The contract that all code above sockets relies on, checked on OS sockets and in-memory sockets. */
import { assertEquals } from "@std/assert";
import type { TlsOptions } from "../../tls/mod.ts";
import {
  memory,
  memoryBehindFaults,
  memoryFarAway,
  native,
  nativeByReadiness,
  system,
} from "../_util/contract/environments.ts";
import { networkBehaviors } from "../_util/contract/network_behaviors.ts";
import { resetBehaviors } from "../_util/contract/reset_behaviors.ts";
import { insteadWithTls, tlsInMemory, tlsOnNative, tlsOnSystem } from "../_util/contract/tls_grounds.ts";
import { transportBehaviors } from "../_util/contract/transport_behaviors.ts";
import { TlsFixture } from "../_util/tls/tls_fixture.ts";

let fixture: TlsFixture;

Deno.test.beforeAll(async () => {
  fixture = await TlsFixture.create();
});

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

function tlsOptions(): TlsOptions {
  return { server: { identity: fixture.identity }, client: { ca: fixture.authority.certificate } };
}

const behaviors = { ...transportBehaviors, ...networkBehaviors };
const grounds = {
  system,
  ...(native && { native }),
  ...(nativeByReadiness && { nativeByReadiness }),
  memory,
  memoryFarAway,
  memoryBehindFaults,
  tls: tlsOnSystem(tlsOptions),
  ...(native && { tlsOnNative: tlsOnNative(tlsOptions)! }),
  tlsInMemory: tlsInMemory(tlsOptions),
};

for (const [name, ground] of Object.entries(grounds)) {
  const { permissions } = ground;
  for (const [behavior, body] of Object.entries(behaviors)) {
    const test = ground.instead?.(behavior) ?? { name: behavior, run: () => ground.run(body) };
    Deno.test({ name: `${test.name} (${name})`, permissions, fn: () => test.run() });
  }
  for (const [behavior, body] of Object.entries(resetBehaviors)) {
    Deno.test({ name: `${behavior} (${name})`, permissions, fn: () => ground.runReset(body) });
  }
}

Deno.test("TLS differs from the contract only in listed behaviors", () => {
  assertEquals(Object.keys(insteadWithTls).filter((name) => !(name in behaviors)), []);
});
