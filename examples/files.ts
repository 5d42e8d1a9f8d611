/** A file server: an upload, a download from the middle, and a checksum. */
import { FilesClient, startFiles, uploadFile } from "@okline/okline/services";

const root = await Deno.makeTempDir();
const source = await Deno.makeTempFile();
await Deno.writeTextFile(source, "Hello, files!\n");
await using server = await startFiles({ root, writable: true, port: 0 });
await using client = await FilesClient.connect({ port: server.port });

const { size, checksum } = await uploadFile(client, { source, path: "greeting.txt" });
console.log(size, checksum.slice(0, 8)); // prints 14 d8cb5904

for await (const { name, type } of client.list()) console.log(type, name); // prints file greeting.txt

const download = await client.download("greeting.txt", 7);
for await (const bytes of download.body) console.log(new TextDecoder().decode(bytes).trim()); // prints files!
console.log(await download.checksum() === checksum); // prints true
await Promise.all([Deno.remove(root, { recursive: true }), Deno.remove(source)]);
