/** Properties of code that reads from peers, and of its output for people and files. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable } from "../../../internal/printable.ts";
import { formatHistoryLine, HistoryError, parseHistoryLine } from "../../../loadtest/history/line_format.ts";
import { ChatRoom } from "../../../services/chat/chat_room.ts";
import { DatagramRoom } from "../../../services/udp/room.ts";
import { authenticate } from "../../../access/authenticate.ts";
import { connect } from "../../../socket/connect.ts";
import { listen } from "../../../socket/listen.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { tokenCheck } from "../../../access/token.ts";
import { type Properties, run } from "./fuzz_bytes.ts";

const said = fc.oneof(
  fc.constantFrom(
    "ada",
    "Ada",
    "ＡＤＡ",
    "bob",
    "/quit",
    "/who",
    "/me waves",
    "/msg ada hi",
    "/msg",
    "//x",
    "",
    " ",
  ),
  fc.constantFrom(
    "/login ada secret",
    "/login",
    "/help",
    "/\x1b[2J",
    "\x1b[31mred",
    "\u202eevil",
    "a\rb",
    "𐏿".repeat(25),
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
);

/** A unit of UTF-16: any, or one of those that mean harm. */
const unit = fc.oneof(
  fc.nat({ max: 0xffff }),
  fc.constantFrom(
    0x1b,
    0x9b,
    0x0a,
    0x0d,
    0x7f,
    0x5c,
    0x200b,
    0x200d,
    0x200e,
    0x202e,
    0x2028,
    0x2066,
    0xd800,
    0xdc00,
    0xfeff,
  ),
);

/** Four peers come, talk and go in any order. */
function holdParty(acts: readonly (readonly [peer: number, line: string | undefined])[]): void {
  const heard = new Map<number, string[]>();
  const gone = new Set<number>();
  const named = new Set<number>();
  const room = new ChatRoom<number>({
    send(peer, line) {
      assert(!/[^\P{Cc}\t]|[\u202a-\u202e\u2066-\u2069]/u.test(line), JSON.stringify(line));
      heard.get(peer)!.push(line);
    },
    dismiss: (peer) => void gone.add(peer),
  });
  for (const [peer, line] of acts) {
    if (!heard.has(peer)) {
      heard.set(peer, []);
      room.join(peer);
    } else if (line === undefined || gone.has(peer)) {
      room.leave(peer);
      heard.delete(peer);
      gone.delete(peer);
      named.delete(peer);
    } else {
      const before = new Map([...heard].map(([other, lines]) => [other, lines.length]));
      const attempt = room.line(peer, line);
      if (attempt !== undefined) room.loggedIn(peer, attempt.name, false);
      for (const [other, lines] of heard) {
        if (other !== peer && !named.has(other)) assertEquals(lines.length, before.get(other)); // hears nothing yet
      }
      if (heard.get(peer)!.some((told) => told.startsWith("-- Hello"))) named.add(peer);
    }
    const names = room.names.map((name) => name.normalize("NFKC").toLowerCase());
    assertEquals(new Set(names).size, names.length);
    assert(names.length <= heard.size);
  }
  for (const peer of heard.keys()) room.leave(peer);
  assertEquals([room.size, room.names.length], [0, 0]);
}

/** Which of some lines let a peer in, by the textbook: `auth TOKEN`, among the first three. */
async function assertAuth(lines: readonly string[]): Promise<void> {
  const network = new MemoryNetwork();
  const isToken = tokenCheck("sesame");
  const server = listen({ network, port: 8000 });
  const outcome = Promise.withResolvers<boolean>();
  const served = server.serve(async (peer) => outcome.resolve(await authenticate(peer, { isToken })));
  const client = await connect({ network, port: 8000 });
  for (const line of lines) client.send(line);
  await client.closeWrite();
  assertEquals(await outcome.promise, lines.slice(0, 3).includes("auth sesame"));
  await client.close();
  await server.close();
  await served;
}

/** Every property of these. */
export const PEER_PROPERTIES: Properties = {
  "a line of a history either parses to an event that formats the same, or is rejected": run(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.json(),
        fc.record({
          event: fc.constantFrom(
            "ack",
            "sent",
            "run",
            "close",
            "died",
            "killed",
            "accepted",
            "ended",
            "__proto__",
            "constructor",
          ),
          client: fc.oneof(fc.nat(), fc.double(), fc.string()),
          at: fc.oneof(fc.nat(), fc.double()),
          message: fc.oneof(fc.nat(), fc.constant(null)),
          reason: fc.string(),
        }, { requiredKeys: ["event"] }).map((event) => JSON.stringify(event)),
      ),
      (line) => {
        try {
          const event = parseHistoryLine(line, 1);
          const written = formatHistoryLine(event);
          assertEquals(formatHistoryLine(parseHistoryLine(written, 1)), written);
        } catch (error) {
          if (!(error instanceof HistoryError)) throw error;
        }
      },
    ),
  ),
  "a chat room sends nothing that harms a terminal, and gives each name to one member": run(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 3 }), fc.option(said, { nil: undefined, freq: 12 })), {
        maxLength: 40,
      }),
      holdParty,
    ),
  ),
  "a datagram chat sends once to each member, never back, and never over its limit": run(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 40 })), { maxLength: 60 }), (heard) => {
      const room = new DatagramRoom({ maxSenders: 4, forgetAfter: 100 });
      const last = new Map<number, number>();
      let now = 0;
      for (const [port, ms] of heard) {
        now += ms;
        const sender = { address: { hostname: "127.0.0.1", port }, via: "socket" };
        const others = room.hear(sender, now)?.map((other) => other.address.port);
        const known = [...last].filter(([, at]) => now - at < 100).map(([other]) => other);
        const isFull = !known.includes(port) && known.length >= 4;
        assertEquals(others?.sort(), isFull ? undefined : known.filter((other) => other !== port).sort());
        if (!isFull) last.set(port, now);
      }
    }),
  ),
  "printable text is one line, and cannot control a terminal": run(
    fc.property(fc.array(unit, { maxLength: 50 }), fc.nat({ max: 60 }), (units, limit) => {
      const text = printable(String.fromCharCode(...units), limit);
      // Characters that end lines, move the cursor, change the direction of text, or are not text at all.
      assert(
        !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff]/u.test(text),
        JSON.stringify(text),
      );
      assertEquals(printable(text.replaceAll("\\", ""), Infinity), text.replaceAll("\\", ""));
    }),
  ),
  "a peer is admitted only by its token, in one of its first three lines": run(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.constantFrom(
            "auth sesame",
            "auth sesam",
            "auth  sesame",
            "AUTH sesame",
            "auth sesame ",
            "auth",
            "message x",
          ),
          fc.string({ maxLength: 10 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
        ),
        { maxLength: 5 },
      ),
      assertAuth,
    ),
  ),
};
