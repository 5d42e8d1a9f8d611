/** A certificate for the spawned server of a load test, made for one run. @module */
import type { Identity } from "../../tls/certificate.ts";

// Longer than any run, even if the machine sets its clock during it.
const VALID_MS = 2 * 86_400_000;
// The curve with the cheapest handshakes.
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A self-signed certificate and its key in files, for as long as a server takes to read them. */
export class SelfSigned implements AsyncDisposable {
  /** PEM; clients trust it as its own authority. */
  readonly certificate: string;
  readonly #folder: string;

  private constructor(certificate: string, folder: string) {
    this.certificate = certificate;
    this.#folder = folder;
  }

  /**
   * Creates the files, in a folder that other users cannot read.
   *
   * @param addresses The IP addresses of the server.
   * @throws {Error} The OS error if they cannot be written; no file is left then.
   */
  static async create(addresses: readonly string[]): Promise<SelfSigned> {
    const { certificate, key } = await createCertificate(addresses);
    // Removes what exists so far if the rest fails.
    await using created = new AsyncDisposableStack();
    const identity = created.use(
      new SelfSigned(certificate, await Deno.makeTempDir({ prefix: "okline-" })),
    );
    await Deno.writeTextFile(`${identity.#folder}/certificate.pem`, certificate);
    await Deno.writeTextFile(`${identity.#folder}/key.pem`, key, { mode: 0o600 });
    created.move();
    return identity;
  }

  /** The options with which `server.ts` uses them. */
  get serverOptions(): readonly string[] {
    return ["--tls-cert", `${this.#folder}/certificate.pem`, "--tls-key", `${this.#folder}/key.pem`];
  }

  /** Removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Creates a self-signed certificate for servers at these IP addresses, with a new key. */
export async function createCertificate(addresses: readonly string[]): Promise<Identity> {
  // Loaded here, because only runs over TLS need it.
  const { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } = await import(
    "@peculiar/x509"
  );
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=okline load test",
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now - VALID_MS),
    notAfter: new Date(now + VALID_MS),
    extensions: [
      new SubjectAlternativeNameExtension(addresses.map((value) => ({ type: "ip", value }) as const)),
    ],
  });
  return {
    certificate: certificate.toString("pem"),
    key: PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
  };
}
