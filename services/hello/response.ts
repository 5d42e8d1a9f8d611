/** The responses of the hello service. Pure. @module */
import { serializeResponse } from "../../http/response.ts";

const SECOND_MS = 1000;

/** Returns a plain-text response after which the connection closes. */
export function helloResponse(status: 200 | 400, body: string, date: Date): Uint8Array {
  return serializeResponse(
    { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body },
    { request: undefined, keepAlive: false, date },
  );
}

/** `Hello World!`, encoded when its Date changes, which is once per second: to encode it takes as long as to send it. */
export class Greeting {
  #second: number | undefined;
  #bytes: Uint8Array = new Uint8Array(0);

  /** Returns the response, which must not be changed. */
  at(date: Date): Uint8Array {
    const second = Math.floor(date.getTime() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytes = helloResponse(200, "Hello World!\n", date);
    }
    return this.#bytes;
  }
}
