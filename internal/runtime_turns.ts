/** The turns of the runtime's event loop. Pure. @module */

/**
 * Number of event loop turns after which a runtime that is never idle has polled the OS: it does so in every 61st turn,
 * `event_interval` of tokio's scheduler (https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html). A timer would
 * also work, because it makes the runtime idle, but it takes 2 ms, while this many empty turns take less than 0.1 ms.
 */
export const TURNS_UNTIL_POLL = 64;
