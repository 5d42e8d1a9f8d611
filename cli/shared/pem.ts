/** Certificates and keys from files. @module */
import { ExitError } from "../terminal/exit.ts";
import { quoted } from "../../internal/printable.ts";
import { TlsError } from "../../socket/errors.ts";
import type { Identity } from "../../tls/certificate.ts";
import { fileError } from "./file_error.ts";

/** Where a certificate and its key are. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads the certificate of an authority.
 *
 * @throws {ExitError} If the file cannot be read, or is none.
 */
export async function readAuthority(file: string): Promise<string> {
  const pem = await readText(file);
  const { readCertificate } = await import("../../tls/certificate.ts");
  explained(file, () => readCertificate(pem));
  return pem;
}

/**
 * Reads a certificate and its key.
 *
 * @throws {ExitError} If one of the files cannot be read, or the two do not belong together.
 */
export async function readIdentity({ certificate, key }: IdentityFiles): Promise<Identity> {
  const identity = { certificate: await readText(certificate), key: await readText(key) };
  const { checkIdentity, readCertificate, readPrivateKey } = await import("../../tls/certificate.ts");
  explained(certificate, () => readCertificate(identity.certificate));
  explained(key, () => readPrivateKey(identity.key));
  explained(certificate, () => checkIdentity(identity), ` and ${quoted(key)}`);
  return identity;
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw fileError(`read ${quoted(file)}`, cause);
  }
}

/** Says of which file it is that it cannot be used. */
function explained(file: string, check: () => unknown, other = ""): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new ExitError(`Cannot speak TLS with ${quoted(file)}${other}: ${cause.message}`, { cause });
  }
}
