import { assertEquals } from "@std/assert";
import { type ChildMessage, ChildProcess } from "../../../loadtest/process/child_process.ts";

Deno.test("ChildProcess.ended settles when the child has exited, although another process has its stdout", async () => {
  const messages: ChildMessage[] = [];
  const process = new ChildProcess({
    command: ["sh", "-c", `sleep 600 & echo "{\\"event\\":\\"started\\",\\"pid\\":$!}"; exit 3`],
    onMessage: (message) => messages.push(message),
  });
  assertEquals(await process.ended, { code: 3, signal: null });
  Deno.kill(Number(messages[0]?.pid), "SIGKILL");
});

Deno.test("ChildProcess.terminate() kills a child that hangs at the earliest of the times that it was given", async () => {
  const process = new ChildProcess({ command: ["sleep", "600"], onMessage: () => {} });
  process.kill("SIGSTOP");
  process.terminate(600_000);
  assertEquals(process.killed, false);
  process.terminate(0);
  assertEquals([await process.ended, process.killed], [{ code: 137, signal: "SIGKILL" }, true]);
});
