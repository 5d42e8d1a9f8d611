/** A client of a datagram chat. @module */
import { ExitCode } from "../terminal/exit.ts";
import type { DatagramSocket } from "../../socket/udp.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import { openScreen } from "./chat_screen.ts";

/** Options for {@linkcode talk}. */
export interface TalkOptions {
  readonly socket: DatagramSocket;
  readonly server: Address;
  readonly json: boolean;
}

/** Sends typed lines and shows received ones, until the end of input. */
export async function talk({ socket, server, json }: TalkOptions): Promise<ExitCode> {
  const screen = openScreen(json);
  const say = async (): Promise<void> => {
    for await (const line of screen.lines()) await socket.send(new TextEncoder().encode(line), server);
    socket.close();
  };
  const listen = async (): Promise<void> => {
    for await (const { bytes, from } of socket) {
      // Any host can send datagrams here. Only those of the server are shown.
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
