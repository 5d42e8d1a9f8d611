/** A peer of a router without a socket. @module */
import { RouterPeer } from "../../../relay/router/router.ts";

/** A peer with a name. */
export class Peer extends RouterPeer<Peer> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}
