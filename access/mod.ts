/**
 * Access control by address and by token.
 *
 * @module
 */
export * from "./address_list.ts";
export * from "./authenticate.ts";
export * from "./token.ts";
