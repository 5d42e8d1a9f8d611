/**
 * The relay: a server that hands each message to a random connection and brings its ok back, and the client for it.
 *
 * @module
 */
export * from "./back_off.ts";
export * from "./relay_client.ts";
export * from "./relay_server.ts";
export * from "./router.ts";
