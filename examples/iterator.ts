/** A server with loops: it keeps a sum for each connection. */
import { connect, type Connection, FramingError, listen } from "@okline/okline/socket";

async function add(peer: Connection): Promise<void> {
  let sum = 0;
  for await (const line of peer) peer.send(`${sum += Number(line)}`);
  await peer.close();
}

const server = listen({ port: 0 });
const serving = (async () => {
  for await (const peer of server) {
    add(peer).catch((error) =>
      peer.abort({ type: error instanceof FramingError ? "framing" : "handler-failed", error })
    );
  }
})();

const client = await connect({ port: server.port });
for (const number of [1, 20, 300]) client.send(`${number}`);
await client.closeWrite();
for await (const sum of client) console.log(sum);
// prints 1
// prints 21
// prints 321
console.log((await client.close()).type); // prints natural
await server.close();
await serving;
