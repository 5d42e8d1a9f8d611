/** The PROXY protocol: whose connection it is that a proxy passes on. @module */
export * from "./header.ts";
export { formatProxyHeader, ProxyHeaderReader, type ReadHeader } from "./reader.ts";
