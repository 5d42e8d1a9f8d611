/** An echo with a loop, which holds back clients that do not read; and fifty clients in parallel. */
import { connect, type Connection, listen } from "@okline/okline/socket";

let messages = 0;

async function echo(peer: Connection): Promise<void> {
  for await (const lines of peer.batches()) {
    messages += lines.length;
    let room = true;
    for (const line of lines) room = peer.send(line);
    // A peer that does not read is not read from either.
    if (!room) await peer.flushed();
  }
}

async function ask(text: string): Promise<string> {
  await using connection = await connect({ port: server.port });
  connection.send(text);
  for await (const line of connection) return line;
  throw new Error("The server closed without an answer");
}

await using server = listen({ port: 0 });
server.serve(echo);
const answers = await Promise.all(Array.from({ length: 50 }, (_, client) => ask(`hello ${client}`)));
console.log(answers[0], "...", answers[49]); // prints hello 0 ... hello 49
console.log(messages); // prints 50
