/** A directory that is gone after the test. */
export class TempDir implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync();

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await Deno.writeFile(
      `${this.path}/${name}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.path}/${name}`);
  }

  has(name: string): boolean {
    return [...Deno.readDirSync(this.path)].some((entry) => entry.name === name);
  }

  /** Names in it, including hidden ones and unfinished uploads. */
  async names(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.path), (entry) => entry.name)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
