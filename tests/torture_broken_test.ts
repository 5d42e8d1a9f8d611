/** Every case of the torture suite against a server that does not stand it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { randomStream } from "../loadtest/random.ts";
import { firstLook } from "../loadtest/torture/first_look.ts";
import { TargetProcess } from "../loadtest/torture/target_process.ts";
import { caseNames, torture, type TortureOptions, type TortureResult } from "../loadtest/torture/torture.ts";
import { TlsNetwork } from "../socket/tls.ts";
import { listen } from "../socket/listener.ts";
import { systemNetwork } from "../socket/system.ts";
import { BrokenServer, type Flaw, LIMIT, Places, type Session } from "./helpers/broken_server.ts";
import { Authority } from "./helpers/certificates.ts";

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

async function tortured(port: number, options: Partial<TortureOptions>): Promise<TortureResult[]> {
  const target = { hostname: "127.0.0.1", port };
  const small = { scale: 0.003, patience: 400, maxLine: LIMIT, random: randomStream(1, "fault") };
  return await Array.fromAsync(torture({ target, ...small, ...options }));
}

/** Those that a server has forgotten; they go when it does. */
const kept: (() => void)[] = [];

/** A flaw, and what the suite is to find because of it. */
interface Broken {
  readonly flaw: () => Flaw;
  readonly fault: RegExp;
  readonly scale?: number;
}

/** A flaw that makes all wait for who shows some bytes, until that one has gone. */
function waitsFor(shows: (session: Session, bytes: Uint8Array) => boolean): Flaw {
  const turn = new Places(1);
  const holders = new Set<Session>();
  return {
    async read(session, bytes) {
      if (shows(session, bytes)) {
        await turn.take();
        holders.add(session);
      } else if (!holders.has(session)) {
        await turn.take();
        turn.give();
      }
      await session.take(text(bytes));
    },
    async serve(session) {
      try {
        await session.readAll();
      } finally {
        if (holders.delete(session)) turn.give();
      }
    },
  };
}

/** A flaw that has so many places, and gives one back only where `gives` says so. */
function losesPlaces(count: number, gives: (ended: "natural" | "reset") => boolean): Flaw {
  let free = count;
  return {
    async serve(session) {
      if (free === 0) return;
      free--;
      let ended: "natural" | "reset" = "reset";
      try {
        await session.readAll();
        ended = "natural";
      } finally {
        if (gives(ended)) free++;
      }
    },
  };
}

const BROKEN: Readonly<Record<string, Broken>> = {
  "split at every byte": {
    // Takes each packet for whole characters.
    flaw: () => ({
      read: (session, bytes) => session.take(unescape(encodeURIComponent(new TextDecoder().decode(bytes)))),
    }),
    fault: /^answers differently when cut after byte \d+/,
  },
  "line limit": {
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes), LIMIT - 1) }),
    fault: /^a line of 1024 bytes, which it is to take, is (finished|reset) by the server; .* CRLF, which/,
  },
  "no line end": {
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes), Infinity) }),
    fault: /^took 3 MiB without a line end$/,
  },
  "CR at the boundary": {
    // Drops a CR that may belong to an LF to come, whatever comes.
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes).replace(/\r$/, "")) }),
    fault: /^answers differently when CR and LF come apart$/,
  },
  "broken UTF-8, NUL, escape sequences": {
    flaw: () => ({
      async read(session, bytes) {
        try {
          new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        } catch {
          session.crash();
        }
        await session.take(text(bytes));
      },
    }),
    fault: /^Cannot connect: refused$/,
  },
  "random bytes": {
    flaw: () => ({
      read: (session, bytes) =>
        bytes.filter((byte) => byte > 127).length > 20 ? session.crash() : session.take(text(bytes)),
    }),
    fault: /Cannot connect: refused/,
  },
  "FIN in mid-line": {
    flaw: () => ({
      async serve(session) {
        await session.readAll();
        if (session.rest !== "") await new Promise<void>((resolve) => kept.push(resolve));
      },
    }),
    fault: /kept open though they have finished$/,
  },
  "silent connections": {
    flaw: () => {
      const places = new Places(20);
      return {
        async serve(session) {
          await places.take();
          try {
            await session.readAll();
          } finally {
            places.give();
          }
        },
      };
    },
    fault: /^others are not served meanwhile: no answer within 400 ms$/,
  },
  "a byte a second": {
    flaw: () => waitsFor((_session, bytes) => bytes.length === 1 && bytes[0] === 0x78),
    fault: /^others are not served meanwhile: no answer within 400 ms$/,
  },
  "half a TLS handshake": {
    flaw: () => waitsFor((_session, bytes) => bytes[0] === 0x16),
    fault: /^others are not served meanwhile: no answer within 400 ms$/,
  },
  "connect and reset": {
    flaw: () => losesPlaces(50, (ended) => ended === "natural"),
    fault: /^afterwards: finishes the connection of an honest peer without an answer$/,
  },
  "connect and finish": {
    flaw: () => ({
      async serve(session) {
        await session.readAll();
        if (session.rest === "") await new Promise<void>((resolve) => kept.push(resolve));
      },
    }),
    fault: /^30 are kept open though they have finished$/,
  },
  "tiny lines in a row": {
    // Forgets who has sent a thousand lines.
    flaw: () => {
      const lines = new Map<Session, number>();
      return {
        async read(session, bytes) {
          const count = (lines.get(session) ?? 0) + text(bytes).split("\n").length;
          lines.set(session, count);
          if (count > 1000) await new Promise<void>((resolve) => kept.push(resolve));
          await session.take(text(bytes));
        },
      };
    },
    fault: /^neither answers all lines nor ends, within 400 ms of the last answer$/,
  },
  "asks and never reads": {
    // Writes to one at a time.
    flaw: () => {
      const turn = new Places(1);
      return {
        async read(session, bytes) {
          await turn.take();
          try {
            await session.take(text(bytes));
          } finally {
            turn.give();
          }
        },
      };
    },
    scale: 0.2,
    fault: /^others are not served meanwhile: no answer within 400 ms$/,
  },
};

/** Closes the server, and lets go who was kept. */
async function end(server: BrokenServer): Promise<void> {
  server.close();
  for (const letGo of kept.splice(0)) letGo();
  await server[Symbol.asyncDispose]();
}

Deno.test("There is a broken server for every case of the torture suite", () => {
  assertEquals(Object.keys(BROKEN), [...caseNames("")]);
});

Deno.test("torture() finds nothing wrong with the server that the broken ones are made of", async () => {
  await using server = new BrokenServer();
  const results = await tortured(server.port, { patience: 2000 });
  for (const { name, fault, unjudged } of results) assertEquals([name, fault ?? unjudged], [name, undefined]);
});

for (const [name, { flaw, fault, scale }] of Object.entries(BROKEN)) {
  Deno.test(`torture() finds the server that fails at: ${name}`, async () => {
    const server = new BrokenServer(flaw());
    const found = await tortured(server.port, { only: name, ...(scale === undefined ? {} : { scale }) });
    assertEquals(found.length, 1);
    assertMatch(found[0]?.fault ?? "nothing", fault);
    await end(server);
  });
}

async function writeAll(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await socket.write(bytes));
}

async function echo(socket: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
    await writeAll(socket, buffer.subarray(0, count));
  }
}

Deno.test("torture() finds a server that holds all the answers for who reads none", async () => {
  const flaw: Flaw = {
    async serve(session) {
      const buffer = new Uint8Array(64 * 1024);
      let last = Promise.resolve();
      for (
        let count = await session.socket.read(buffer);
        count !== null;
        count = await session.socket.read(buffer)
      ) {
        const echo = buffer.slice(0, count);
        last = last.then(() => writeAll(session.socket, echo)).catch(() => {}); // gone, with what was held for it
      }
      await last;
    },
  };
  await using server = new BrokenServer(flaw);
  const [found] = await tortured(server.port, { only: "never reads", scale: 0.7, patience: 5000 });
  assertMatch(found?.fault ?? "nothing", /^held [6-9]\d MiB of answers for a peer that read none$/);
});

Deno.test("torture() finds a server that forgets to close sockets", async () => {
  const forgotten: Deno.TcpConn[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const socket of listener) {
      forgotten.push(socket);
      void echo(socket).then(() => socket.closeWrite()).catch(() => {}); // reset by a hostile peer
    }
  })();
  const process = TargetProcess.find(listener.addr);
  assertEquals(process?.pids, [Deno.pid]);
  const [found] = await tortured(listener.addr.port, { only: "CR", scale: 1, process });
  assertEquals([found?.fault, found?.unjudged], [undefined, undefined]); // three sockets: it might have use for them
  const [more] = await tortured(listener.addr.port, { only: "random", scale: 0.1, process });
  assertMatch(more?.fault ?? "nothing", /^afterwards the server holds 21 sockets more than before$/);
  listener.close();
  await accepting;
  for (const socket of forgotten) socket.close();
});

Deno.test("torture() cannot compare answers that are never the same, or none", async () => {
  let count = 0;
  await using counting = new BrokenServer({ read: (session) => session.say(`${++count}\n`) });
  const [differs] = await tortured(counting.port, { only: "split" });
  assertEquals([differs?.fault, differs?.unjudged], [
    undefined,
    "it answers the same bytes differently each time",
  ]);
  await using mute = new BrokenServer({ read() {} });
  const [silent] = await tortured(mute.port, { only: "CR" });
  assertEquals(silent?.unjudged, "it answers nothing that could be compared");
});

Deno.test("firstLook() tells a greeting from an answer, and who cannot be tortured from who can", async () => {
  const look = (port: number, patience = 300) =>
    firstLook({ target: { hostname: "127.0.0.1", port }, patience });
  await using polite = new BrokenServer({
    async serve(session) {
      await session.say("220 welcome\n");
      await session.readAll();
    },
  });
  const { greeting, answer } = await look(polite.port);
  assertEquals([greeting, typeof answer], [12, "number"]);
  await using mute = new BrokenServer({ read() {} });
  assertEquals(await look(mute.port), { greeting: 0, answer: "no answer within 300 ms" });
  await using rude = new BrokenServer({ serve: () => Promise.resolve() });
  assertStringIncludes(
    `${(await look(rude.port)).answer}`,
    "finishes the connection of an honest peer without an answer",
  );
});

Deno.test("firstLook() and torture() know a server that speaks TLS", async () => {
  await using authority = await Authority.create();
  const identity = await authority.issue("okline");
  await using server = listen({ network: new TlsNetwork(systemNetwork, { server: { identity } }) });
  const served = server.serve(async (peer) => {
    for await (const line of peer.lines()) peer.send(line);
  });
  const target = { hostname: "127.0.0.1", port: server.port };
  const { answer } = await firstLook({ target, patience: 1000 });
  assertEquals(answer, "it speaks TLS, and a peer without TLS gets no answer");
  const tls = { ca: authority.certificate };
  assertEquals(typeof (await firstLook({ target, tls, patience: 1000 })).answer, "number");
  for (const only of ["split", "limit", "FIN", "half", "reset", "tiny"]) {
    const found = await tortured(server.port, { target, tls, only, maxLine: 64 * 1024, patience: 2000 });
    assertEquals(found.map(({ name, fault }) => [name, fault]), found.map(({ name }) => [name, undefined]));
  }
  const { queuedBytes } = await server.until((stats) => stats.connections === 0);
  assertEquals(queuedBytes, 0);
  await server.close();
  await served;
});
