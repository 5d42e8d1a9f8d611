/** One HTTP connection: its requests in order, each with its response. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError } from "../../socket/errors.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import { HttpError } from "../../http/errors.ts";
import type { RequestHead } from "../../http/request_head.ts";
import { type RequestEvent, type RequestLimits, RequestParser } from "../../http/request_parser.ts";
import {
  CONTINUE,
  encodeResponse,
  type Response,
  serializeResponse,
  textResponse,
} from "../../http/response.ts";
import type { Resources } from "./resources.ts";
import { sendFrames } from "./send_frames.ts";

/** Options for {@linkcode HttpSession}. */
export interface HttpSessionOptions {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly limits: RequestLimits;
  /** Longest time to receive a request, in ms. */
  readonly requestTimeout: number;
  /** Longest time without a request, in ms. */
  readonly keepAliveTimeout: number;
  /** Called with the status of each response. */
  readonly onResponse: (status: number) => void;
}

/** Serves the requests of one connection until the client or the server ends it. */
export class HttpSession {
  readonly #connection: Connection<Uint8Array>;
  readonly #options: HttpSessionOptions;
  readonly #parser: RequestParser;
  #head: RequestHead | undefined;
  #refusal: Response | undefined;
  #body = new ByteQueue();
  #timer: Timer | undefined;
  #waitsForRequest = true;
  /** Whether input is being handled, which takes as long as the client needs to read the responses. */
  #busy = false;
  /** Whether a part of a response may be sent, but not all of it. */
  #responding = false;
  #draining = false;
  #ended = false;

  constructor(connection: Connection<Uint8Array>, options: HttpSessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#parser = new RequestParser(options.limits);
  }

  /**
   * Reads requests and responds until the connection must end. If a response cannot be created, the client gets a 500. If
   * that happens in the middle of it, the connection is reset.
   *
   * @throws The error of a response that could not be created, after the connection has closed for it.
   */
  async run(): Promise<void> {
    this.#awaitRequest();
    try {
      for await (const pieces of this.#connection.batches()) {
        this.#busy = true;
        for (const bytes of pieces) {
          if (!this.#ended) await this.#take(bytes);
        }
        this.#busy = false;
        if (this.#draining && this.#parser.idle) this.#end("drained");
        this.#watchRequest();
      }
      const error = this.#parser.end();
      // A client that has closed only its sending side can still read.
      if (error && this.#connection.open && !this.#ended) this.#reject(error);
    } finally {
      this.#timer?.cancel();
    }
  }

  /** Ends the connection before the next request. A request that has begun still gets its response. */
  drain(): void {
    this.#draining = true;
    if (this.#parser.idle && !this.#busy) this.#end("drained");
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { events, error } = this.#parser.push(bytes);
    for (const event of events) {
      // Nothing after the last response counts, above all not a pipelined request.
      if (this.#ended) return;
      try {
        await this.#handle(event);
      } catch (cause) {
        if (cause instanceof ConnectionClosedError) throw cause;
        await this.#fail(cause instanceof Error ? cause : new Error(String(cause)));
      }
    }
    if (error && !this.#ended) this.#reject(error);
  }

  async #handle(event: RequestEvent): Promise<void> {
    switch (event.type) {
      case "head":
        this.#head = event.head;
        this.#refusal = this.#refuse(event.head);
        if (!event.head.expectsContinue) break;
        // After a refusal the client may send the body or not, so the start of the next request is unknown.
        if (this.#refusal) await this.#respond(this.#refusal, false);
        else this.#connection.send(CONTINUE);
        break;
      case "body":
        if (!this.#refusal) this.#body.push(event.bytes);
        break;
      case "end":
        await this.#finish(this.#head!);
        break;
    }
  }

  #refuse(head: RequestHead): Response | undefined {
    // RFC 9110, 7.4: a server must not serve https over a connection that is not secure. It refuses the reverse as well,
    // because the client would take the response for one from another origin. Only TLS has a handshake.
    const scheme = this.#connection.ready === undefined ? "http" : "https";
    if (head.scheme !== undefined && head.scheme !== scheme) {
      return textResponse(421, `Scheme is ${head.scheme}, but this connection is for ${scheme}`);
    }
    return this.#options.resources.refuse(head);
  }

  async #finish(head: RequestHead): Promise<void> {
    const body = this.#body.take();
    const response = this.#refusal ?? this.#options.resources.respond(head, body);
    await this.#respond(response, head.keepAlive && !this.#draining);
    this.#head = undefined;
    this.#refusal = undefined;
    if (!this.#ended) this.#awaitRequest();
  }

  /** Sends a response, no faster than the client reads it. */
  async #respond(response: Response, mayKeepAlive: boolean): Promise<void> {
    // The time for the request is over, and the wait for the next one begins after the response.
    this.#timer?.cancel();
    const { frames, keepAlive } = encodeResponse(response, {
      request: this.#head,
      keepAlive: mayKeepAlive,
      date: new Date(),
    });
    this.#options.onResponse(response.status);
    this.#responding = true;
    await sendFrames(this.#connection, frames);
    this.#responding = false;
    if (keepAlive) return;
    // Only the wait for the client's FIN counts as closing.
    await this.#connection.flushed();
    this.#end();
  }

  /** Ends the connection after an error of the server, which becomes the reason for the end. */
  async #fail(error: Error): Promise<never> {
    this.#ended = true;
    this.#timer?.cancel();
    if (this.#responding) {
      // A FIN would make the part that was sent look complete.
      this.#connection.reset({ type: "handler-failed", error });
    } else {
      this.#send(textResponse(500, "The response could not be created"));
      await this.#connection.close({ type: "handler-failed", error });
    }
    throw error;
  }

  /** Ends the connection after a request that cannot be served. */
  #reject({ status, message }: HttpError): void {
    this.#send(textResponse(status, message));
    this.#end();
  }

  /** Sends a short last response. */
  #send(response: Response): void {
    this.#options.onResponse(response.status);
    this.#connection.send(
      serializeResponse(response, { request: this.#head, keepAlive: false, date: new Date() }),
    );
  }

  #end(why?: string): void {
    this.#ended = true;
    void this.#connection.close(why === undefined ? undefined : { type: "local", why });
  }

  /** Starts the wait for a request. */
  #awaitRequest(): void {
    this.#timer?.cancel();
    this.#waitsForRequest = true;
    this.#timer = this.#options.clock.after(
      this.#options.keepAliveTimeout,
      () => this.#end("keep-alive timeout"),
    );
  }

  /** Starts the time for a request that has begun. No later byte restarts it, so a client cannot extend it. */
  #watchRequest(): void {
    if (this.#ended || !this.#waitsForRequest || this.#parser.idle) return;
    this.#timer?.cancel();
    this.#waitsForRequest = false;
    const { requestTimeout } = this.#options;
    this.#timer = this.#options.clock.after(
      requestTimeout,
      () => this.#reject(new HttpError(408, `Request was not complete after ${requestTimeout} ms`)),
    );
  }
}
