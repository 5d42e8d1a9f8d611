import { assertEquals } from "@std/assert";
import { Worker } from "../../../../cli/server/processes/worker.ts";
import { leftAfterCollection } from "../../../_util/collect_garbage.ts";

/** A process that answers each control line. */
const ECHO = `
  console.log(JSON.stringify({ event: "listening", host: "127.0.0.1", port: 1 }));
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    for (const line of text.trim().split("\\n")) console.log(JSON.stringify({ event: "state", line }));
  }
`;

function startEcho(): Worker {
  return new Worker([Deno.execPath(), "eval", ECHO]);
}

Deno.test("Worker.request() keeps no answer in memory while the process runs", async () => {
  const worker = startEcho();
  try {
    await worker.listening();
    const answers: WeakRef<WeakKey>[] = [];
    for (let count = 0; count < 50; count++) answers.push(new WeakRef((await worker.request("state"))!));
    assertEquals(await leftAfterCollection(answers, { most: 2 }) <= 2, true);
  } finally {
    worker.kill("SIGKILL");
    await worker.ended;
  }
});

Deno.test("Worker.request() returns undefined when the process has ended, or ends before its answer", async () => {
  const worker = startEcho();
  await worker.listening();
  Deno.kill(worker.pid, "SIGSTOP");
  const asked = worker.request("state");
  worker.kill("SIGKILL");
  assertEquals(await asked, undefined);
  await worker.ended;
  assertEquals(await worker.request("state"), undefined);
});

Deno.test("Worker.request() gets the answer to its own line after the process hung", async () => {
  const worker = startEcho();
  try {
    await worker.listening();
    Deno.kill(worker.pid, "SIGSTOP");
    assertEquals(await worker.request("first"), undefined);
    const second = worker.request("second");
    Deno.kill(worker.pid, "SIGCONT");
    assertEquals((await second)?.line, "second");
  } finally {
    worker.kill("SIGKILL");
    await worker.ended;
  }
});
