/**
 * Who may connect, by address and by token.
 *
 * @module
 */
export * from "./address_list.ts";
export * from "./auth.ts";
export * from "./token.ts";
