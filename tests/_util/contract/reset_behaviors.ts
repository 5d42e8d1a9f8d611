/** Behaviors of a socket whose peer resets. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { readText, text, writeUntilError } from "../network/transport_pair.ts";
import type { ResetBehavior } from "./contract.ts";

const { BrokenPipe, ConnectionReset } = Deno.errors;

export const resetBehaviors: Readonly<Record<string, ResetBehavior>> = {
  "Transport.read() rejects once when the peer resets, then gives null": async (far, reset) => {
    const reading = readText(far);
    await reset();
    const error = await assertRejects(() => reading, ConnectionReset);
    assertEquals(Reflect.get(error, "code"), "ECONNRESET");
    assertEquals(await readText(far), null);
    await assertRejects(() => far.write(text("x")), BrokenPipe);
    await far.closeWrite();
  },

  "Transport.write() rejects with the reset where it is first to meet it, then with a broken pipe": async (
    far,
    reset,
  ) => {
    await reset();
    assert(await writeUntilError(far) instanceof ConnectionReset);
    await assertRejects(() => far.write(text("x")), BrokenPipe);
    assertEquals(await readText(far), null);
  },

  "Transport.closeWrite() does not hide a reset": async (far, reset) => {
    await reset();
    await far.closeWrite();
    await assertRejects(() => readText(far), ConnectionReset);
    assertEquals(await readText(far), null);
  },

  "Transport.read() and write() both waiting: the reset to the reader, a broken pipe to the writer": async (
    far,
    reset,
  ) => {
    const reading = assertRejects(() => readText(far), ConnectionReset);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    await far.write(bytes);
    const writing = assertRejects(async () => {
      for (;;) await far.write(bytes);
    }, BrokenPipe);
    await reset();
    await reading;
    await writing;
  },
};
