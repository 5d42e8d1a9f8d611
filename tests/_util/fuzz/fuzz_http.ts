/** Properties of the HTTP service as a whole: many requests on one connection, at any pace. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ResponseParser } from "../../../http/response_parser.ts";
import { startHttp } from "../../../services/http/service.ts";
import { bytesCodec } from "../../../socket/codecs/bytes_codec.ts";
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import type { CloseReason } from "../../../socket/errors.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { chunks, type Properties, run } from "./fuzz_bytes.ts";

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly chunked?: boolean;
}

const path = fc.constantFrom("/items", "/items/1", "/items/2", "/items/%33");
const body = fc.constantFrom("7", "1e999", "[1, 2]", `"${"x".repeat(3000)}"`, `"${"y".repeat(70_000)}"`);
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ method: fc.constantFrom("GET", "HEAD"), path }),
  fc.record({ method: fc.constantFrom("PUT", "POST"), path, body, chunked: fc.boolean() }),
  fc.record({ method: fc.constant("DELETE"), path }),
);

/** The pace of a client, and when the service drains. */
const pace = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 4 }),
  capacity: fc.constantFrom(500, 5000, 65_536),
  pause: fc.constantFrom(0, 1, 50),
  drainAt: fc.option(fc.integer({ min: 0, max: 300 })),
});

function textOf({ method, path, body, chunked }: Request): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\n`;
  if (body === undefined) return `${head}\r\n`;
  const typed = `${head}Content-Type: application/json\r\n`;
  if (!chunked) return `${typed}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunks = (body.match(/.{1,30000}/g) ?? []).map((part) =>
    `${part.length.toString(16)}\r\n${part}\r\n`
  );
  return `${typed}Transfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`;
}

/** Returns the statuses and bodies that the requests must get. */
function expectedOf(requests: readonly Request[]): string[] {
  const items = new Map<number, string>();
  let nextId = 1;
  const show = (id: number) => `{"id":${id},"value":${items.get(id)}}`;
  return requests.map(({ method, path, body }) => {
    const word = decodeURIComponent(path).slice("/items/".length);
    const id = Number(word || nextId);
    const known = word === "" || items.has(id);
    if (body !== undefined) {
      if ((method === "POST") !== (word === "")) return "405";
      const created = !items.has(id);
      items.set(id, body);
      nextId = Math.max(nextId, id + 1);
      return `${created ? 201 : 200} ${show(id)}`;
    }
    if (method === "DELETE") {
      if (word === "") return "405";
      return items.delete(id) ? "204" : "404";
    }
    if (!known) return "404";
    const list = word === "" ? `[${[...items.keys()].map(show).join(",")}]` : show(id);
    return method === "HEAD" ? "200 " : `200 ${list}`;
  });
}

/** Reads the responses up to the end of the connection, and checks that none is cut. */
async function read(
  client: Connection<Uint8Array>,
  requests: readonly Request[],
  pause: () => Promise<void>,
): Promise<string[]> {
  const responses: string[] = [];
  const decoder = new TextDecoder();
  const nextParser = () => new ResponseParser(requests[responses.length]?.method ?? "GET");
  let parser = nextParser();
  let text = "";
  for await (const piece of client) {
    await pause();
    for (let rest = piece; rest.length > 0;) {
      assert(responses.length < requests.length, "There are more responses than requests");
      for (const event of parser.push(rest)) {
        if (event.type === "head") text = `${event.head.status} `;
        else if (event.type === "data") text += decoder.decode(event.data);
      }
      rest = rest.subarray(parser.used);
      if (!parser.done) continue;
      // Texts of errors are for people.
      responses.push(/^(204|4)/.test(text) ? text.slice(0, 3) : text.replace(/\n$/, ""));
      parser = nextParser();
      text = "";
    }
  }
  assertEquals(text, "", "The last response is incomplete");
  return responses;
}

/** Every property of these. */
export const HTTP_PROPERTIES: Properties = {
  "an HTTP service responds to every request in order, at any pace, and cuts no response when it drains": run(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 8 }),
      pace,
      async (requests, { sizes, capacity, pause, drainAt }) => {
        const clock = new VirtualClock();
        const network = new MemoryNetwork({ clock, capacity });
        const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
        const ends: CloseReason[] = [];
        const server = startHttp({
          clock,
          network,
          timeouts: { drain: 1e6 },
          onEvent: (event) => void (event.type === "closed" && ends.push(event.reason)),
        });
        const client = await clock.runUntil(connect({
          clock,
          network,
          port: server.port,
          codec: bytesCodec,
          limits: { writeBuffer: 1e9 },
        }));
        const send = async () => {
          const bytes = new TextEncoder().encode(requests.map(textOf).join(""));
          for (const piece of chunks(bytes, sizes)) {
            client.send(piece);
            await wait(1);
          }
          // The server may have drained, and then the connection has ended.
          await client.closeWrite().catch(() => {});
        };
        let drained: Promise<void> | undefined;
        const drain = drainAt === null ? undefined : clock.after(drainAt, () => drained = server.shutdown());
        const [responses] = await clock.runUntil(
          Promise.all([read(client, requests, () => wait(pause)), send()]),
        );
        await clock.runUntil(client.close());
        drain?.cancel();
        await clock.runUntil(drained ?? server.close());
        const expected = expectedOf(requests);
        assertEquals(responses, drained === undefined ? expected : expected.slice(0, responses.length));
        if (drained === undefined) assertEquals(ends, [{ type: "natural" }]);
        assertEquals(clock.timers, 0);
      },
    ),
  ),
};
