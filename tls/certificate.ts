/** Who somebody is to a TLS peer. Pure. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { TlsError } from "../socket/errors.ts";

/** A certificate with its private key, both PEM; the certificate followed by those between it and its authority. */
export interface Identity {
  /** The certificate chain, in PEM. */
  readonly certificate: string;
  /** The private key, in PEM. */
  readonly key: string;
}

/** How a block of PEM begins (RFC 7468), with an algorithm in it where an older program wrote it. */
const BEGINNING = {
  certificate: /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m,
  "private key": /^-----BEGIN (?:\w+ )?PRIVATE KEY-----/m,
} as const;

/** Encrypted by PKCS #8 (RFC 7468, 11), or by the header of an older program (RFC 1421, 4.6.1.1). */
const ENCRYPTED = /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Checks what the TLS library would find out only when a peer comes.
 *
 * @throws {TlsError} `certificate`, when one of the two cannot be read, or they do not belong together.
 */
export function checkIdentity(identity: Identity): void {
  const certificate = readCertificate(identity.certificate);
  const key = readPrivateKey(identity.key);
  if (!certificate.checkPrivateKey(key)) {
    throw new TlsError(
      "certificate",
      `Private key does not belong to the certificate of ${certificate.subject}`,
    );
  }
}

/** @throws {TlsError} `certificate`, when it cannot be read. */
export function readCertificate(pem: string): X509Certificate {
  return read("certificate", pem, (pem) => new X509Certificate(pem));
}

/** @throws {TlsError} `certificate`, when it cannot be read, or only with a passphrase. */
export function readPrivateKey(pem: string): ReturnType<typeof createPrivateKey> {
  if (ENCRYPTED.test(pem)) {
    throw new TlsError("certificate", "Private key is encrypted: expected one without a passphrase");
  }
  return read("private key", pem, createPrivateKey);
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

type Kind = "certificate" | "private key";

function read<Result>(kind: Kind, pem: string, make: (pem: string) => Result): Result {
  try {
    return make(pem);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    // Where there is no such block, what the library says is of a block that nobody meant.
    const text = BEGINNING[kind].test(pem)
      ? `Cannot read the ${kind} in PEM: ${why}`
      : `There is no ${kind} in PEM`;
    throw new TlsError("certificate", text, { cause });
  }
}
