/**
 * The relay: a server that passes each message to a random connection and returns its ok, and the client for it.
 *
 * @module
 */
export * from "../internal/back_off.ts";
export type { DurationCounts, DurationHistogram } from "../internal/duration_histogram.ts";
export * from "./client.ts";
export * from "./client_options.ts";
export type { Bus, BusHandlers, BusStatus } from "./cluster/bus.ts";
export { LocalBus, type LocalBusOptions } from "./cluster/local_bus.ts";
export { MemoryBus, MemoryBusHub, type MemoryBusOptions } from "./cluster/memory_bus.ts";
export type { MembershipStats } from "./cluster/membership.ts";
export { NatsBus, type NatsBusOptions } from "./cluster/nats_bus.ts";
export * from "./server.ts";
export * from "./server_options.ts";
export * from "./router/router.ts";
