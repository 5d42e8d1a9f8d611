/**
 * TLS over any network: {@linkcode ServerTls} and {@linkcode ClientTls} are the option `tls` of servers and clients.
 *
 * @module
 */
export { type Identity } from "./certificate.ts";
export { ClientTls, ServerTls, type ServerTlsOptions } from "./layer.ts";
export { TlsNetwork } from "./network.ts";
export type { TlsClientOptions, TlsOptions, TlsServerOptions, TlsVersion } from "./options.ts";
