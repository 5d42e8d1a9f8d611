import { assertEquals, assertRejects } from "@std/assert";
import { SelfSigned } from "../../../cli/loadtest/self_signed.ts";

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

Deno.test("SelfSigned keeps its files until it is disposed", async () => {
  const identity = await SelfSigned.create(["127.0.0.1"]);
  const [, certificate, , key] = identity.serverOptions;
  assertEquals(await Deno.readTextFile(certificate!), identity.certificate);
  assertEquals((await Deno.stat(key!)).mode! & 0o077, 0);
  await identity[Symbol.asyncDispose]();
  assertEquals([await exists(certificate!), await exists(key!)], [false, false]);
});

for (const failing of ["certificate.pem", "key.pem"]) {
  Deno.test(`SelfSigned.create() leaves no file if ${failing} cannot be written`, async () => {
    const write = Deno.writeTextFile;
    let folder: string | undefined;
    Deno.writeTextFile = (path, ...rest) => {
      const [, parent, name] = /^(.*)\/([^/]*)$/.exec(String(path))!;
      folder = parent;
      if (name === failing) return Promise.reject(new Error("No space left on device"));
      return write(path, ...rest);
    };
    try {
      await assertRejects(() => SelfSigned.create(["127.0.0.1"]), Error, "No space left on device");
    } finally {
      Deno.writeTextFile = write;
    }
    assertEquals(await exists(folder!), false);
  });
}
