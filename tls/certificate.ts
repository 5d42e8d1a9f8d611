/** Certificates and private keys of a TLS endpoint. Pure. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { TlsError } from "../socket/errors.ts";

/** A certificate chain and its private key, both in PEM. The chain starts with the certificate itself. */
export interface Identity {
  /** The certificate chain, in PEM. */
  readonly certificate: string;
  /** The private key, in PEM. */
  readonly key: string;
}

/** The first line of a PEM block (RFC 7468), optionally with an algorithm, as older programs write it. */
const BEGINNING = {
  certificate: /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m,
  "private key": /^-----BEGIN (?:\w+ )?PRIVATE KEY-----/m,
} as const;

/** A key encrypted with PKCS #8 (RFC 7468, 11), or with the header of an older program (RFC 1421, 4.6.1.1). */
const ENCRYPTED = /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Checks a certificate and its key. Otherwise the TLS library would report a problem only when a peer connects.
 *
 * @throws {TlsError} With code `certificate`, if one of the two is malformed, or they do not match.
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

/** @throws {TlsError} With code `certificate`, if it is malformed. */
export function readCertificate(pem: string): X509Certificate {
  return read("certificate", pem, (pem) => new X509Certificate(pem));
}

/** @throws {TlsError} With code `certificate`, if it is malformed or encrypted. */
export function readPrivateKey(pem: string): ReturnType<typeof createPrivateKey> {
  if (ENCRYPTED.test(pem)) {
    throw new TlsError("certificate", "Private key is encrypted: expected one without a passphrase");
  }
  return read("private key", pem, createPrivateKey);
}

/**
 * Returns the host names of a certificate in lower case, such as `chat.example.org` or `*.example.org`.
 *
 * @throws {TlsError} With code `certificate`, if it is malformed.
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
    // Without such a block, the error of the library would be about an unrelated block.
    const text = BEGINNING[kind].test(pem)
      ? `Cannot read the ${kind} in PEM: ${why}`
      : `There is no ${kind} in PEM`;
    throw new TlsError("certificate", text, { cause });
  }
}
