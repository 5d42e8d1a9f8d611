/** Who somebody is to a TLS peer. Pure but for the key arithmetic. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { TlsError } from "./errors.ts";

/** A certificate with its private key, both PEM; the certificate followed by those between it and its authority. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Checks what the TLS library would find out only when a peer comes.
 *
 * @throws {TlsError} `certificate`, when one of the two cannot be read, or they do not belong together.
 */
export function checkIdentity(identity: Identity): void {
  const certificate = readCertificate(identity.certificate);
  const key = read("private key", () => createPrivateKey(identity.key));
  if (!certificate.checkPrivateKey(key)) {
    throw new TlsError(
      "certificate",
      `Private key does not belong to the certificate of ${certificate.subject}`,
    );
  }
}

/** @throws {TlsError} `certificate`, when it cannot be read. */
export function readCertificate(pem: string): X509Certificate {
  return read("certificate", () => new X509Certificate(pem));
}

/**
 * The host names that a certificate is for, in lower case, as in `chat.example.org` or `*.example.org`.
 *
 * @throws {TlsError} `certificate`, when it cannot be read.
 */
export function certificateNames(pem: string): string[] {
  const entries = readCertificate(pem).subjectAltName?.split(", ") ?? [];
  return entries.filter((entry) => entry.startsWith("DNS:")).map((entry) =>
    entry.slice("DNS:".length).toLowerCase()
  );
}

function read<Result>(what: string, make: () => Result): Result {
  try {
    return make();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TlsError("certificate", `Cannot read the ${what} (expected PEM): ${why}`, { cause });
  }
}
