/** Web streams: a server that answers with transformed lines, and a Deno socket read with `LineStream`. */
import { LineStream, listen } from "@okline/okline";

await using server = listen({ port: 0 });
server.serve(async (peer) => {
  const upperCase = new TransformStream<string, string>({
    transform: (line, controller) => controller.enqueue(line.toUpperCase()),
  });
  await peer.readable.pipeThrough(upperCase).pipeTo(peer.writable);
});

using socket = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
await socket.write(new TextEncoder().encode("hello\nstreams\n"));
await socket.closeWrite();
for await (const line of socket.readable.pipeThrough(new LineStream({ maxLine: 80 }))) console.log(line);
// prints HELLO
// prints STREAMS
