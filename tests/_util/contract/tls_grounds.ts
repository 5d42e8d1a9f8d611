/** TLS networks, which must behave like other sockets. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { TlsError } from "../../../socket/errors.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import type { Network } from "../../../socket/network.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { TlsNetwork, type TlsOptions } from "../../../tls/mod.ts";
import { connectByNode } from "../network/node_transport.ts";
import type { Ground } from "./contract.ts";
import { betweenOwnEnds, native, onNative } from "./environments.ts";

/** A TLS network that counts the open connections of the network below it. */
interface TlsOn {
  readonly network: Network;
  stand(count: number): Promise<void>;
}

function tlsOn(below: Network, options: TlsOptions): TlsOn {
  let standing = 0;
  let changed = () => {};
  const counted: Network = {
    listen: (options) => below.listen(options),
    async connect(options) {
      const transport = await below.connect(options);
      standing++;
      changed();
      return transport;
    },
  };
  return {
    network: new TlsNetwork(counted, options),
    async stand(count) {
      while (standing < count) await new Promise<void>((resolve) => changed = resolve);
    },
  };
}

/**
 * Behaviors that TLS cannot have, and those that replace them. Both have one reason: a peer that is not accepted
 * cannot shake hands, so its `connect` is pending, although the connection below is open.
 */
export const insteadWithTls: Readonly<
  Record<string, { readonly name: string; body(tls: TlsOn): Promise<void> }>
> = {
  "TransportListener.close() resets who was not accepted: once to the reader, then null": {
    name: "TransportListener.close() fails the handshakes of queued peers because it resets them",
    body: async ({ network, stand }) => {
      const listener = network.listen({ port: 0 });
      const connecting = assertRejects(() => network.connect({ port: listener.address.port }), TlsError);
      await stand(1);
      listener.close();
      const { code, cause } = await connecting;
      assertEquals(code, "closed");
      assert(cause instanceof Deno.errors.ConnectionReset, String(cause));
    },
  },
  "TransportListener.accept() takes peers that came before it, in their order": {
    name: "TransportListener.accept() returns queued peers in order and shakes hands when each is accepted",
    body: async ({ network, stand }) => {
      const listener = network.listen({ port: 0 });
      const { port } = listener.address;
      const connecting = [network.connect({ port })];
      await stand(1);
      connecting.push(network.connect({ port }));
      await stand(2);
      const one = await listener.accept();
      const two = await listener.accept();
      const [first, second] = await Promise.all(connecting);
      assertEquals(one.remote.port, first!.local.port);
      assertEquals(two.remote.port, second!.local.port);
      for (const each of [first!, second!, one, two, listener]) each.close();
    },
  },
};

/** The network below TLS, and a function that resets a peer on it. */
interface Below {
  readonly permissions: Deno.PermissionOptions;
  network(): Network;
  /** The same, where only another one can reset. */
  resetting?(): Network;
}

/** @param options Asked for when a behavior runs: the certificates need not be there before. */
function tlsOver(below: Below, options: () => TlsOptions): Ground {
  const { permissions, network, resetting = network } = below;
  return {
    permissions,
    run: (behavior) => behavior(tlsOn(network(), options()).network),
    runReset: (behavior) => betweenOwnEnds(behavior, tlsOn(resetting(), options()).network),
    instead: (behavior) => {
      const other = insteadWithTls[behavior];
      return other && { name: other.name, run: () => other.body(tlsOn(network(), options())) };
    },
  };
}

/** TLS between sockets of the system. */
export function tlsOnSystem(options: () => TlsOptions): Ground {
  const below: Below = {
    permissions: { net: true },
    network: () => systemNetwork,
    resetting: () => ({ ...systemNetwork, connect: connectByNode }),
  };
  return tlsOver(below, options);
}

/** TLS between sockets on epoll; absent on other systems than Linux. */
export function tlsOnNative(options: () => TlsOptions): Ground | undefined {
  if (native === undefined) return undefined;
  const { permissions } = native;
  const over = (network: Network) => tlsOver({ permissions, network: () => network }, options);
  return {
    permissions,
    run: (behavior) => onNative((network) => over(network).run(behavior)),
    runReset: (behavior) => onNative((network) => over(network).runReset(behavior)),
    instead: (behavior) => {
      const other = insteadWithTls[behavior];
      return other && {
        name: other.name,
        run: () => onNative((network) => over(network).instead!(behavior)!.run()),
      };
    },
  };
}

export function tlsInMemory(options: () => TlsOptions): Ground {
  return tlsOver({ permissions: "none", network: () => new MemoryNetwork() }, options);
}
