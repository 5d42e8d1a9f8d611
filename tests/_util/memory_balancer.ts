/** A balancer over echo services in memory. */
import { type BalanceOptions, type Passed, startBalance, startEcho } from "../../services/mod.ts";
import { connect } from "../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../testing/mod.ts";
import { at } from "./network/proxy_backend.ts";

/** Sends one line over a new connection, and returns the answer. */
export async function echoOnce(port: number, line: string): Promise<string | undefined> {
  await using client = await connect({ port });
  client.send(line);
  return (await client[Symbol.asyncIterator]().next()).value;
}

/** A balancer, its backends, and what it has passed on. */
export interface MemoryBalancer {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  /** Starts another backend. */
  readonly start: (port: number) => ReturnType<typeof startEcho>;
  readonly backends: ReturnType<typeof startEcho>[];
  readonly balancer: ReturnType<typeof startBalance>;
  readonly passed: Passed[];
}

/** Starts a balancer over echo services on ports 1, 2, … in memory, on a virtual clock. */
export function startInMemory(count: number, options: Partial<BalanceOptions> = {}): MemoryBalancer {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const start = (port: number) => startEcho({ port, clock, network });
  const backends = Array.from({ length: count }, (_, index) => start(index + 1));
  const passed: Passed[] = [];
  const balancer = startBalance({
    to: backends.map(({ port }) => at(port)),
    clock,
    network,
    checkInterval: 1000,
    rise: 2,
    fall: 2,
    ...options,
    onEvent: (event) => {
      if (event.type === "passed") passed.push(event.passed);
      options.onEvent?.(event);
    },
  });
  return { clock, network, start, backends, balancer, passed };
}
