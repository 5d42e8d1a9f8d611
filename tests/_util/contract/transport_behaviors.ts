/** Behaviors of a socket without resets. */
import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { readText, readToEnd, text, transportPair, writeUntilError } from "../network/transport_pair.ts";
import type { Behavior } from "./contract.ts";

const { BadResource, BrokenPipe, Interrupted } = Deno.errors;

export const transportBehaviors: Readonly<Record<string, Behavior>> = {
  "Transport.read() gives what the peer wrote, in order": async (network) => {
    using pair = await transportPair(network);
    assertEquals(await pair.near.write(text("hello ")), 6);
    assertEquals(await pair.near.write(text("world")), 5);
    await pair.near.closeWrite();
    let all = "";
    for (let part; (part = await readText(pair.far)) !== null;) all += part;
    assertEquals(all, "hello world");
  },

  "Transport.read() gives no more than fits, and keeps the rest": async (network) => {
    using pair = await transportPair(network);
    await pair.near.write(text("abcde"));
    assertEquals(await readText(pair.far, { size: 2 }), "ab");
    assertEquals(await readText(pair.far, { size: 2 }), "cd");
    assertEquals(await readText(pair.far, { size: 2 }), "e");
  },

  "Transport.read() waits for the peer": async (network) => {
    using pair = await transportPair(network);
    const reading = readText(pair.far);
    await pair.near.write(text("late"));
    assertEquals(await reading, "late");
  },

  "Transport.read() gives null at FIN, again and again": async (network) => {
    using pair = await transportPair(network);
    const reading = readText(pair.far);
    await pair.near.closeWrite();
    assertEquals(await reading, null);
    assertEquals(await readText(pair.far), null);
    assertEquals(await readText(pair.far), null);
  },

  "Transport.write() copies: the buffer may be used again at once": async (network) => {
    using pair = await transportPair(network);
    const bytes = text("first");
    assertEquals(await pair.near.write(bytes), 5);
    bytes.fill(0);
    assertEquals(await readText(pair.far), "first");
  },

  "Transport.local and remote mirror each other": async (network) => {
    using pair = await transportPair(network);
    assertEquals(pair.near.remote.port, pair.listener.address.port);
    assertEquals(pair.far.remote.port, pair.near.local.port);
    assertEquals(pair.far.local.port, pair.near.remote.port);
    assertEquals(pair.far.remote.hostname, "127.0.0.1");
    assertEquals(pair.near.remote.hostname, "127.0.0.1");
  },

  "Transport.write() is partial when the peer does not read, then waits for it": async (network) => {
    using pair = await transportPair(network);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const first = await pair.near.write(bytes);
    assertGreater(first, 0);
    assertLess(first, bytes.length);
    // Writes until a write waits; reading lets it go on, and nothing is lost.
    let sent = first;
    const writing = (async () => {
      while (sent < bytes.length) sent += await pair.near.write(bytes.subarray(sent));
      await pair.near.closeWrite();
    })();
    assertEquals(await readToEnd(pair.far), bytes.length);
    await writing;
  },

  "Transport.closeWrite() leaves the other way open": async (network) => {
    using pair = await transportPair(network);
    await pair.near.closeWrite();
    assertEquals(await readText(pair.far), null);
    await pair.far.write(text("still here"));
    assertEquals(await readText(pair.near), "still here");
    await pair.far.closeWrite();
    assertEquals(await readText(pair.near), null);
  },

  "Transport.closeWrite() is safe to repeat, and a write after it is a broken pipe": async (network) => {
    using pair = await transportPair(network);
    await pair.near.closeWrite();
    await pair.near.closeWrite();
    await assertRejects(() => pair.near.write(text("x")), BrokenPipe);
    await pair.far.write(text("and on"));
    assertEquals(await readText(pair.near), "and on");
  },

  "Transport.closeWrite() after the peer's FIN sends what was written, and then FIN": async (network) => {
    using pair = await transportPair(network);
    await pair.far.closeWrite();
    assertEquals(await readText(pair.near), null);
    await pair.near.write(text("bye"));
    await pair.near.closeWrite();
    assertEquals(await readText(pair.far), "bye");
    assertEquals(await readText(pair.far), null);
    assertEquals(await readText(pair.near), null);
    await assertRejects(() => pair.near.write(text("x")), BrokenPipe);
    pair.near.close();
    await assertRejects(() => readText(pair.near), BadResource);
  },

  "Transport.read() returns what comes together with a FIN, and then null": async (network) => {
    using pair = await transportPair(network);
    await pair.near.write(text("twelve bytes"));
    await pair.near.closeWrite();
    assertEquals(await readText(pair.far, { size: 6 }), "twelve");
    assertEquals(await readText(pair.far, { size: 6 }), " bytes");
    assertEquals(await readText(pair.far), null);
    assertEquals(await readText(pair.far), null);
  },

  "Transport.close() rejects a pending read and a pending write": async (network) => {
    using pair = await transportPair(network);
    const reading = assertRejects(() => readText(pair.near), Interrupted);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const writing = assertRejects(async () => {
      for (;;) await pair.near.write(bytes);
    }, Interrupted);
    // The buffers are full: the peer has received something, and a write larger than any buffer is still pending.
    assert(await readText(pair.far) !== null);
    pair.near.close();
    await reading;
    await writing;
  },

  "Transport.close() is safe to repeat, and nothing works after it": async (network) => {
    using pair = await transportPair(network);
    pair.near.close();
    pair.near.close();
    await assertRejects(() => readText(pair.near), BadResource);
    await assertRejects(() => pair.near.write(text("x")), BadResource);
    await assertRejects(() => pair.near.closeWrite(), BadResource);
  },

  "Transport.close() sends what was written, and then FIN": async (network) => {
    using pair = await transportPair(network);
    await pair.near.write(text("bye"));
    pair.near.close();
    assertEquals(await readText(pair.far), "bye");
    assertEquals(await readText(pair.far), null);
  },

  "Transport.write() to a closed peer works once, then the pipe is broken": async (network) => {
    using pair = await transportPair(network);
    pair.near.close();
    assertEquals(await readText(pair.far), null);
    assertEquals(await pair.far.write(text("x")), 1);
    const error = await writeUntilError(pair.far);
    assert(error instanceof BrokenPipe, String(error));
    assertEquals(Reflect.get(error, "code"), "EPIPE");
    assertEquals(await readText(pair.far), null);
    await pair.far.closeWrite();
  },

  "Transport.close() with unread input is FIN to the reader and a broken pipe to the writer": async (
    network,
  ) => {
    using pair = await transportPair(network);
    await pair.far.write(text("unread"));
    const { near } = pair;
    assertEquals(await readText(near, { size: 1 }), "u");
    near.close();
    assertEquals(await readText(pair.far), null);
    assert(await writeUntilError(pair.far) instanceof BrokenPipe);
    assertEquals(await readText(pair.far), null);
  },

  "Transport.close() of a peer that owes reading fails the write that waits": async (network) => {
    using pair = await transportPair(network);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const writing = assertRejects(async () => {
      for (;;) await pair.near.write(bytes);
    }, BrokenPipe);
    assert(await readText(pair.far) !== null);
    pair.far.close();
    await writing;
    assertEquals(await readText(pair.near), null);
  },
};
