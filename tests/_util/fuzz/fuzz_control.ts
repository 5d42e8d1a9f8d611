/** Properties of the control channel of a server for any input. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Log } from "../../../cli/terminal/log.ts";
import { answerCommand } from "../../../cli/server/control_channel.ts";
import { LiveLimits } from "../../../cli/server/live_limits.ts";
import { connectionOptions } from "../../../cli/server/service_options.ts";
import { SuspendControl } from "../../../cli/server/suspend.ts";
import type { RunningService } from "../../../cli/server/service_command.ts";
import { BackendPool } from "../../../services/balance/backend_pool.ts";
import { createPolicy } from "../../../services/balance/policy.ts";
import { type Properties, run } from "./fuzz_bytes.ts";

const typed = fc.oneof(
  fc.constantFrom(
    "state",
    "suspend",
    "resume",
    "drain 127.0.0.1:8000",
    "undrain 127.0.0.1:8000",
    "drain [::1]:8001",
    "undrain [::1]:8001",
    "drain 127.0.0.1:8002",
    "drain  127.0.0.1:8000",
    "limits",
    "limits max-connections=5",
    "limits max-connections=5&idle-timeout=x",
    "limits __proto__=1",
    "drain __proto__",
    "drain ",
    "drain",
    "State",
    "state ",
    "\x1b[2J",
    "drain \u202e",
    "",
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
);

const EVENTS = new Set(["state", "suspended", "resumed", "draining", "undrained", "limits", "error"]);

/** Every line is answered by one line of JSON, and does what it says and nothing else. */
async function assertAnswered(lines: readonly string[]): Promise<void> {
  const names = ["127.0.0.1:8000", "[::1]:8001"];
  const pool = new BackendPool(
    [{ hostname: "127.0.0.1", port: 8000 }, { hostname: "::1", port: 8001 }],
    { policy: createPolicy("round-robin", () => 0) },
  );
  let accepting = true;
  const service: RunningService = {
    addresses: [],
    finished: Promise.resolve(),
    stats: () => pool.stats(),
    suspend: () => void (accepting = false),
    resume: () => void (accepting = true),
    setLimits: ({ maxConnections }) => void (most = maxConnections ?? NaN),
    drainBackend: (name) => pool.drain(name),
    restoreBackend: (name) => pool.restore(name),
    shutdown: () => Promise.reject(new Error("Nobody asked to drain the server")),
    close: () => Promise.reject(new Error("Nobody asked to close the server")),
  };
  const gate = new SuspendControl(service);
  const { maxConnections, idleTimeout } = connectionOptions;
  const limits = new LiveLimits(service, {
    options: { maxConnections, idleTimeout },
    values: { maxConnections: 3, idleTimeout: 0 },
  });
  let most = 3;
  const draining = new Set<string>();
  let open = true;
  for (const line of lines) {
    let said = "";
    const stdout = {
      isTerminal: () => false,
      writeSync(bytes: Uint8Array): number {
        said += new TextDecoder().decode(bytes);
        return bytes.length;
      },
    };
    const answer = await answerCommand(line, service, { gate, limits });
    new Log({ json: true, quiet: true, stdout }).result("", answer);
    assertMatch(said, /^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]*\n$/u);
    assert(EVENTS.has(JSON.parse(said).event), said);
    if (line === "suspend") open = false;
    if (line === "resume") open = true;
    for (const name of names) {
      if (line === `drain ${name}`) draining.add(name);
      if (line === `undrain ${name}`) draining.delete(name);
    }
    const drained = pool.stats().backends.filter((backend) => backend.draining).map(({ name }) => name);
    if (line === "limits max-connections=5") assertEquals(most, 5);
    assertEquals(limits.current["max-connections"], `${most}`);
    assertEquals([accepting, gate.suspended, new Set(drained)], [open, !open, draining]);
  }
}

/** Every property of it. */
export const CONTROL_PROPERTIES: Properties = {
  "a line of the control channel gets one line as its answer, and has only its own effect": run(
    fc.asyncProperty(fc.array(typed, { maxLength: 20 }), assertAnswered),
  ),
};
