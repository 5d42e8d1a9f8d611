/** The load test: its parts, as a library. @module */
export * from "./loadtest/mod.ts";
