/** A server and a reconnecting client with callbacks. */
import { lineCodec, TcpServer, TcpSocket } from "@okline/okline/socket";

const server = new TcpServer({ codec: lineCodec() });
server.listen("127.0.0.1", 0, {
  started: ({ hostname }) => console.log(`listening on ${hostname}`), // prints listening on 127.0.0.1
  connected: (id) => console.log(`${id} connected`), // prints 1 connected
  data: (id, line) => server.send(id, line.toUpperCase()),
  disconnected: (id, reason) => console.log(`${id} left: ${reason.type}`),
  error: (error, id) => console.error(`${id}: ${error.message}`),
});

const answered = Promise.withResolvers<string>();
const socket = new TcpSocket({ codec: lineCodec(), reconnect: { maxAttempts: 5, delay: 100 } });
socket.connect("127.0.0.1", server.address!.port, {
  connected: () => socket.send("hello"),
  data: (line) => answered.resolve(line),
  error: (error) => answered.reject(error),
});
console.log(await answered.promise); // prints HELLO
await socket.disconnect();
await server.stop();
// prints 1 left: natural
