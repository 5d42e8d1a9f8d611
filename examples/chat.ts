/** A chat room with two guests. */
import { connect, type Connection } from "@okline/okline/socket";
import { startChat } from "@okline/okline/services";

await using room = startChat({ port: 0 });

async function enter(name: string): Promise<{ guest: Connection; next: () => Promise<string> }> {
  const guest = await connect({ port: room.port });
  const lines = guest[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  await next(); // It asks for a name.
  guest.send(name);
  await next(); // It says hello.
  return { guest, next };
}

const ann = await enter("ann");
const bob = await enter("bob");
console.log(await ann.next()); // prints -- bob joined
bob.guest.send("hello");
console.log(await ann.next()); // prints bob: hello
ann.guest.send("/msg bob psst");
console.log(await ann.next()); // prints [you to bob] psst
console.log(await bob.next()); // prints [ann to you] psst
bob.guest.send("/quit");
console.log(await ann.next()); // prints -- bob left
await Promise.all([ann.guest.close(), bob.guest.close()]);
