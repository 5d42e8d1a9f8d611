/** Certificates and keys from files. @module */
import { ExitError } from "../terminal/exit.ts";
import { quoted } from "../../internal/printable.ts";
import { TlsError } from "../../socket/errors.ts";
import type { Identity } from "../../tls/certificate.ts";
import { readTextFile } from "./text_file.ts";

/** The files of a certificate and its key. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads the certificate of an authority.
 *
 * @throws {ExitError} If the file cannot be read, or is not a certificate.
 */
export async function readAuthority(file: string): Promise<string> {
  const pem = await readTextFile(file);
  const { readCertificate } = await import("../../tls/certificate.ts");
  explained(file, () => readCertificate(pem));
  return pem;
}

/**
 * Reads a certificate and its key.
 *
 * @throws {ExitError} If one of the files cannot be read, or the key does not match the certificate.
 */
export async function readIdentity({ certificate, key }: IdentityFiles): Promise<Identity> {
  const identity = { certificate: await readTextFile(certificate), key: await readTextFile(key) };
  const { checkIdentity, readCertificate, readPrivateKey } = await import("../../tls/certificate.ts");
  explained(certificate, () => readCertificate(identity.certificate));
  explained(key, () => readPrivateKey(identity.key));
  explained(certificate, () => checkIdentity(identity), ` and ${quoted(key)}`);
  return identity;
}

/** Adds the name of the file to an error. */
function explained(file: string, check: () => unknown, other = ""): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new ExitError(`Cannot use ${quoted(file)}${other} for TLS: ${cause.message}`, { cause });
  }
}
