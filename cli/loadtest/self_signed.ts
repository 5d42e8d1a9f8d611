/** A certificate for the own server of a load test, made for the run and kept nowhere. @module */
import { Integer, OctetString, Utf8String } from "asn1js";
import { AttributeTypeAndValue, Certificate, Extension, GeneralName, GeneralNames } from "pkijs";
import type { Identity } from "../../tls/certificate.ts";

// Longer than any run, whose machine may set its clock meanwhile.
const VALID_MS = 2 * 86_400_000;
const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALT_NAME = "2.5.29.17";
const IP_ADDRESS = 7;

/**
 * Makes a certificate that vouches for itself, for servers at these addresses (IPv4), with a key on the curve P-256: the
 * one whose handshakes cost least.
 */
export async function createCertificate(addresses: readonly string[]): Promise<Identity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = new Certificate();
  certificate.version = 2; // As X.509 counts, this is version 3.
  certificate.serialNumber = new Integer({ valueHex: serialNumber() });
  const name = new AttributeTypeAndValue({
    type: COMMON_NAME,
    value: new Utf8String({ value: "okline load test" }),
  });
  for (const who of [certificate.issuer, certificate.subject]) who.typesAndValues.push(name);
  const now = Date.now();
  certificate.notBefore.value = new Date(now - VALID_MS);
  certificate.notAfter.value = new Date(now + VALID_MS);
  certificate.extensions = [forAddresses(addresses)];
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  await certificate.sign(privateKey, "SHA-256");
  return {
    certificate: pem("CERTIFICATE", certificate.toSchema(true).toBER(false)),
    key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", privateKey)),
  };
}

function forAddresses(addresses: readonly string[]): Extension {
  const names = addresses.map((address) => {
    const bytes = Uint8Array.from(address.split("."), Number);
    return new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: bytes.buffer }) });
  });
  return new Extension({
    extnID: SUBJECT_ALT_NAME,
    extnValue: new GeneralNames({ names }).toSchema().toBER(false),
  });
}

/** Positive, and without a leading zero: DER would write either in another way. */
function serialNumber(): ArrayBuffer {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.buffer;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = new Uint8Array(der).toBase64().replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
