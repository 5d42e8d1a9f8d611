/** What a TLS handshake has shown of the peer. @module */
import type { TLSSocket } from "node:tls";

/** What is known of the peer once the handshake is done. */
export interface TlsSession {
  /** As `"TLSv1.3"`. */
  readonly protocol: string;
  /** The protocol agreed on by ALPN, where there was one. */
  readonly alpn: string | undefined;
  /** The subject's common name in the peer's certificate, where it gave one that was verified. */
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
