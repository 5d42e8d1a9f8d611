/** Measures round trips of lines to an echo server in another process. @module */
import { connect } from "../../socket/mod.ts";
import { ServerProcess } from "../../tests/_util/programs/program.ts";

const LINE = "message 0123456789";

const server = await ServerProcess.start("echo");
globalThis.addEventListener("unload", () => server.signal("SIGKILL"));
const client = await connect({ port: server.port });
const answers = client.batches();

for (const atOnce of [1, 16, 1000]) {
  Deno.bench(`echo: ${atOnce} line${atOnce === 1 ? "" : "s"} round trip`, { group: "echo" }, async () => {
    for (let i = 0; i < atOnce; i++) client.send(LINE);
    for (let left = atOnce; left > 0;) {
      const { done, value } = await answers.next();
      if (done) throw new Error("The server closed the connection");
      left -= value.length;
    }
  });
}
