/** An HTTP service in memory, in simulated time. */
import { assertEquals } from "@std/assert";
import { type HttpOptions, type HttpStats, requestHttp, startHttp } from "../../../services/mod.ts";
import type { CloseReason } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { type Talk, talk } from "../network/exchange.ts";

/** A running service, and the ends of its connections so far. */
export class HttpWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly ends: CloseReason[] = [];
  readonly server: ReturnType<typeof startHttp>;

  constructor(options: HttpOptions = {}) {
    const { clock, network, ends } = this;
    this.server = startHttp({
      clock,
      network,
      onEvent: (event) => void (event.type === "closed" && ends.push(event.reason)),
      ...options,
    });
  }

  get stats(): HttpStats {
    return this.server.stats();
  }

  /** Writes an item of this many bytes. */
  async store(id: number, size: number): Promise<void> {
    const { clock, network } = this;
    const url = `http://127.0.0.1:${this.server.port}/items/${id}`;
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify("x".repeat(size - 2));
    const request = requestHttp(url, { method: "PUT", headers, body, clock, network });
    const response = await clock.runUntil(request);
    await clock.runUntil(Array.fromAsync(response.body));
    assertEquals(response.status, 201);
  }

  /** Connects, and sends this text. */
  async ask(text: string): Promise<Talk> {
    const peer = await this.clock.runUntil(talk(this.server.port, this));
    await this.clock.runUntil(peer.send(text));
    return peer;
  }

  /** Closes everything, and checks that no timer is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.clock.runUntil(this.server.close());
    assertEquals(this.clock.timers, 0);
  }
}

/** Returns a request without a body. */
export function get(target: string, version = "1.1", fields = ""): string {
  return `GET ${target} HTTP/${version}\r\nHost: a\r\n${fields}\r\n`;
}

/** Returns the body of a chunked response. */
export function decodeChunks(response: string): string {
  let rest = response.slice(response.indexOf("\r\n\r\n") + 4);
  let body = "";
  for (;;) {
    const [line = ""] = rest.split("\r\n", 1);
    const size = parseInt(line, 16);
    if (size === 0) return body;
    body += rest.slice(line.length + 2, line.length + 2 + size);
    rest = rest.slice(line.length + size + 4);
  }
}
