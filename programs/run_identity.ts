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

  /** Makes them, in a folder that nobody else may read. */
  static async create(hostnames: readonly string[]): Promise<RunIdentity> {
    // Loaded here: it is of use to nobody else.
    const { createCertificate } = await import("./run_certificate.ts");
    const { certificate, key } = await createCertificate(hostnames);
    const folder = await Deno.makeTempDir({ prefix: "okline-" });
    await Deno.writeTextFile(`${folder}/certificate.pem`, certificate);
    await Deno.writeTextFile(`${folder}/key.pem`, key, { mode: 0o600 });
    return new RunIdentity(certificate, folder);
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
