/**
 * The relay: a server that hands each message to a random connection and brings its ok back, and the client for it.
 *
 * @module
 */
export * from "../internal/back_off.ts";
export * from "./client.ts";
export * from "./server.ts";
export * from "./router/router.ts";
