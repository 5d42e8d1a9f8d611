/** Who the own server of a load test is to clients that speak TLS. @module */

/** A certificate and its key in files, for as long as it takes a server to read them. */
export class RunIdentity implements AsyncDisposable {
  /** PEM; it vouches for itself. */
  readonly certificate: string;
  readonly #folder: string;

  private constructor(certificate: string, folder: string) {
    this.certificate = certificate;
    this.#folder = folder;
  }

  /**
   * Makes them, in a folder that nobody else may read.
   *
   * @throws What the system says where they cannot be written; nothing is left then.
   */
  static async create(hostnames: readonly string[]): Promise<RunIdentity> {
    // Loaded here: it is of use to nobody else.
    const { createCertificate } = await import("./self_signed.ts");
    const { certificate, key } = await createCertificate(hostnames);
    // What is made so far is removed where the rest fails.
    await using made = new AsyncDisposableStack();
    const identity = made.use(
      new RunIdentity(certificate, await Deno.makeTempDir({ prefix: "okline-" })),
    );
    await Deno.writeTextFile(`${identity.#folder}/certificate.pem`, certificate);
    await Deno.writeTextFile(`${identity.#folder}/key.pem`, key, { mode: 0o600 });
    made.move();
    return identity;
  }

  /** What makes `server.ts` use them. */
  get serverOptions(): readonly string[] {
    return ["--tls-cert", `${this.#folder}/certificate.pem`, "--tls-key", `${this.#folder}/key.pem`];
  }

  /** Removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
