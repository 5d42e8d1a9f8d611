/** A UDP echo, and a request that is repeated without an answer. */
import { DatagramSocket } from "@okline/okline/socket";
import { startDatagramEcho } from "@okline/okline/services";

await using echo = startDatagramEcho({ port: 0 });
using socket = new DatagramSocket();
const question = new TextEncoder().encode("hello");
const answer = await socket.ask(question, echo.addresses[0]!, { timeout: 500, attempts: 3 });
console.log(new TextDecoder().decode(answer)); // prints hello

// No socket is bound to the address of a closed one.
using gone = new DatagramSocket();
gone.close();
try {
  await socket.ask(question, gone.address, { timeout: 20, attempts: 2 });
} catch (error) {
  console.log(error instanceof Deno.errors.TimedOut); // prints true
}
