/** The result of a TLS handshake. @module */
import type { TLSSocket } from "node:tls";

/** Facts about the peer after the handshake. */
export interface TlsSession {
  /** The protocol version, such as `"TLSv1.3"`. */
  readonly protocol: string;
  /** The protocol that ALPN negotiated, if any. */
  readonly alpn: string | undefined;
  /** The common name in the peer's certificate, if there is one and it was verified. */
  readonly peerName: string | undefined;
}

export function sessionOf(socket: TLSSocket): TlsSession {
  const subject = socket.getPeerCertificate()?.subject;
  return {
    protocol: socket.getProtocol() ?? "unknown",
    alpn: socket.alpnProtocol || undefined,
    peerName: subject === undefined || !socket.authorized ? undefined : String(subject.CN),
  };
}
