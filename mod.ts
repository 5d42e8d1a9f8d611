/** okline: sockets of lines for Deno. @module */
export * from "./socket/mod.ts";
