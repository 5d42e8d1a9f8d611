/**
 * Networks and clocks for tests and simulations: sockets in memory, a clock that a test advances, and
 * faults injected around any network.
 *
 * @module
 */
export { CountingClock as CountedClock } from "./counting_clock.ts";
export { type Fault, type Faults, faultyNetwork, type FaultyNetworkOptions } from "./faulty_network.ts";
export { MemoryListener } from "./memory_listener.ts";
export { MemoryNetwork, type MemoryNetworkOptions, type MemoryNetworkStats } from "./memory_network.ts";
export { MemorySocket } from "./memory_socket.ts";
export { VirtualClock } from "./virtual_clock.ts";
