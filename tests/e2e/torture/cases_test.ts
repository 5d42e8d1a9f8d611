/** Every case of the torture suite against a server that fails it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { probeTarget } from "../../../loadtest/torture/probe_target.ts";
import { TargetProcess } from "../../../loadtest/torture/target_process.ts";
import {
  caseNames,
  torture,
  type TortureOptions,
  type TortureResult,
} from "../../../loadtest/torture/torture.ts";
import { TlsNetwork } from "../../../tls/mod.ts";
import { listen } from "../../../socket/listen.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { BrokenServer, type Flaw, LIMIT } from "../../_util/programs/broken_server.ts";
import { BROKEN, end } from "../../_util/programs/broken_servers.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

/** Patience in ms with a server that answers, however busy the machine is. */
const PATIENT = 5000;

async function tortured(port: number, options: Partial<TortureOptions>): Promise<TortureResult[]> {
  const target = { hostname: "127.0.0.1", port };
  const small = { scale: 0.003, patience: 400, maxLine: LIMIT, random: randomStream(1, "fault") };
  return await Array.fromAsync(torture({ target, ...small, ...options }));
}

Deno.test("broken servers cover every case of the torture suite", () => {
  assertEquals(Object.keys(BROKEN), [...caseNames("")]);
});

Deno.test("torture() passes the server that the broken ones are made of", async () => {
  await using server = new BrokenServer();
  const results = await tortured(server.port, { patience: PATIENT });
  for (const { name, fault, unjudged } of results) assertEquals([name, fault ?? unjudged], [name, undefined]);
});

for (const [name, { flaw, fault, ...options }] of Object.entries(BROKEN)) {
  Deno.test(`torture() finds the broken server of the case: ${name}`, async () => {
    const hostname = ownAddress(); // Some of them crash: no other program may listen there then.
    const server = new BrokenServer(flaw(), hostname);
    const target = { hostname, port: server.port };
    const found = await tortured(server.port, { target, only: name, ...options });
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

Deno.test("torture() finds a server that buffers answers without a limit", async () => {
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
  assertMatch(found?.fault ?? "nothing", /^buffers [6-9]\d MiB of answers for a peer that does not read$/);
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
  const [found] = await tortured(listener.addr.port, { only: "CR", scale: 1, process, patience: 2000 });
  assertEquals([found?.fault, found?.unjudged], [undefined, undefined]); // three sockets: it might have use for them
  const [more] = await tortured(listener.addr.port, {
    only: "random",
    scale: 0.1,
    process,
    patience: PATIENT,
  });
  assertMatch(more?.fault ?? "nothing", /^afterwards the server holds 21 more sockets than before$/);
  listener.close();
  await accepting;
  for (const socket of forgotten) socket.close();
});

Deno.test("torture() does not judge answers that differ each time, or are empty", async () => {
  let count = 0;
  await using counting = new BrokenServer({ read: (session) => session.say(`${++count}\n`) });
  const [differs] = await tortured(counting.port, { only: "split", patience: PATIENT });
  assertEquals([differs?.fault, differs?.unjudged], [
    undefined,
    "it answers the same bytes differently each time",
  ]);
  let peers = 0;
  await using later = new BrokenServer({
    async serve(session) {
      const day = ++peers > 30 ? "Tuesday" : "Monday";
      await session.say(`${day}\n`);
      await session.readAll();
    },
  });
  const [changes] = await tortured(later.port, { only: "split", patience: PATIENT });
  assertEquals([changes?.fault, changes?.unjudged], [
    undefined,
    "it answers the same bytes differently after a while",
  ]);
  await using mute = new BrokenServer({ read() {} });
  const [silent] = await tortured(mute.port, { only: "CR" });
  assertEquals(silent?.unjudged, "it sends no answer to compare");
});

Deno.test("firstLook() distinguishes a greeting from an answer, and rejects unsuitable targets", async () => {
  const look = (port: number, patience = 300) =>
    probeTarget({ target: { hostname: "127.0.0.1", port }, patience });
  await using polite = new BrokenServer({
    async serve(session) {
      await session.say("220 welcome\n");
      await session.readAll();
    },
  });
  const { greeting, answer } = await look(polite.port, PATIENT);
  assertEquals([greeting, typeof answer], [12, "number"]);
  await using mute = new BrokenServer({ read() {} });
  assertEquals(await look(mute.port), { greeting: 0, answer: "no answer within 300 ms" });
  await using rude = new BrokenServer({ serve: () => Promise.resolve() });
  assertStringIncludes(
    `${(await look(rude.port)).answer}`,
    "finishes the connection of an honest peer without an answer",
  );
});

Deno.test("firstLook() and torture() recognize a server that speaks TLS", async () => {
  await using authority = await Authority.create();
  const identity = await authority.issue("okline");
  await using server = listen({ network: new TlsNetwork(systemNetwork, { server: { identity } }) });
  const served = server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const target = { hostname: "127.0.0.1", port: server.port };
  const { answer } = await probeTarget({ target, patience: PATIENT });
  assertEquals(answer, "it speaks TLS, and a peer without TLS gets no answer");
  const tls = { ca: authority.certificate };
  assertEquals(typeof (await probeTarget({ target, tls, patience: PATIENT })).answer, "number");
  for (const only of ["split", "limit", "FIN", "half", "reset", "tiny"]) {
    const found = await tortured(server.port, { target, tls, only, maxLine: 64 * 1024, patience: PATIENT });
    assertEquals(found.map(({ name, fault }) => [name, fault]), found.map(({ name }) => [name, undefined]));
  }
  const { queuedBytes } = await server.until((stats) => stats.connections === 0);
  assertEquals(queuedBytes, 0);
  await server.close();
  await served;
});
