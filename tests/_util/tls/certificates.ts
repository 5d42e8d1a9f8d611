/** Temporary certificates for tests, created with the `openssl` command. @module */
import type { Identity } from "../../../tls/certificate.ts";

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`Cannot run openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A certificate authority for the duration of a test. */
export class Authority implements AsyncDisposable {
  /** Its certificate in PEM. */
  readonly certificate: string;
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string, certificate: string) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  static async create(): Promise<Authority> {
    const folder = await Deno.makeTempDir({ prefix: "okline-ca-" });
    await openssl(
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=Test authority"],
      ...["-addext", "keyUsage=critical,keyCertSign"],
      ...["-keyout", `${folder}/ca.key`, "-out", `${folder}/ca.pem`],
    );
    return new Authority(folder, await Deno.readTextFile(`${folder}/ca.pem`));
  }

  /** The files of the certificate that {@linkcode Authority.issue} issued last. */
  get files(): { certificate: string; key: string; authority: string } {
    const path = `${this.#folder}/${this.#count}`;
    return { certificate: `${path}.pem`, key: `${path}.key`, authority: `${this.#folder}/ca.pem` };
  }

  /**
   * @param names Names in the certificate, such as `DNS:localhost` or `IP:127.0.0.1`.
   * @param options.days Validity in days; a negative number creates an expired certificate. Default: 2.
   */
  async issue(
    commonName: string,
    names: readonly string[] = ["IP:127.0.0.1"],
    { days = 2 }: { readonly days?: number } = {},
  ): Promise<Identity> {
    const path = `${this.#folder}/${++this.#count}`;
    await openssl(
      ...["req", ...NEW_KEY, "-subj", `/CN=${commonName}`, "-keyout", `${path}.key`, "-out", `${path}.csr`],
    );
    await Deno.writeTextFile(`${path}.ext`, `subjectAltName=${names.join(",")}\n`);
    await openssl(
      ...[
        "x509",
        "-req",
        "-in",
        `${path}.csr`,
        "-days",
        `${days}`,
        "-out",
        `${path}.pem`,
        "-extfile",
        `${path}.ext`,
      ],
      ...["-CA", `${this.#folder}/ca.pem`, "-CAkey", `${this.#folder}/ca.key`, "-CAcreateserial"],
    );
    return {
      certificate: await Deno.readTextFile(`${path}.pem`),
      key: await Deno.readTextFile(`${path}.key`),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
