/** How a service of HTTP speaks TLS. Pure. @module */
import { HTTP_ALPN } from "../../http/grammar.ts";

/** What it has to say by ALPN, and to who may not stay. */
export const HTTP_TLS = {
  alpn: HTTP_ALPN,
  notice: (why: string): string =>
    `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${
      why.length + 1
    }\r\n` +
    `Connection: close\r\n\r\n${why}\n`,
} as const;
