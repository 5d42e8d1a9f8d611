/** A seat in a chat of datagrams. @module */
import { ExitCode } from "../terminal/exit.ts";
import type { DatagramSocket } from "../../socket/udp.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import { openScreen } from "./chat_screen.ts";

/** Whom to talk to, and with what. */
export interface TalkOptions {
  readonly socket: DatagramSocket;
  readonly server: Address;
  readonly json: boolean;
}

/** Says what is typed and shows what others say, until the end of input. */
export async function talk({ socket, server, json }: TalkOptions): Promise<ExitCode> {
  const screen = openScreen(json);
  const say = async (): Promise<void> => {
    for await (const line of screen.lines()) await socket.send(new TextEncoder().encode(line), server);
    socket.close();
  };
  const listen = async (): Promise<void> => {
    for await (const { bytes, from } of socket) {
      // Anybody may send here; only the server is listened to.
      if (formatAddress(from) === formatAddress(server)) screen.show(new TextDecoder().decode(bytes));
    }
  };
  try {
    await Promise.all([say(), listen()]);
  } finally {
    screen.close();
  }
  return ExitCode.ok;
}
