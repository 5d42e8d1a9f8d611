/** One HTTP connection: its requests in order, each with its answer. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import type { Connection } from "../../socket/connection.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import { HttpError } from "../../http/errors.ts";
import { type ItemStore, text } from "./item_store.ts";
import type { RequestHead } from "../../http/request_head.ts";
import { type RequestEvent, type RequestLimits, RequestParser } from "../../http/request_parser.ts";
import { CONTINUE, type Response, serializeResponse } from "../../http/response.ts";

/** What a {@linkcode HttpSession} works with. */
export interface HttpSessionOptions {
  readonly store: ItemStore;
  readonly clock: Clock;
  readonly limits: RequestLimits;
  /** Time in ms that a request may take to come in. */
  readonly requestTimeout: number;
  /** Time in ms that a connection may stay without a request. */
  readonly keepAliveTimeout: number;
  /** Called for each answer given. */
  readonly answered: (status: number) => void;
}

/** Serves the requests of one connection until one of both sides has had enough. */
export class HttpSession {
  readonly #connection: Connection<Uint8Array>;
  readonly #options: HttpSessionOptions;
  readonly #parser: RequestParser;
  #head: RequestHead | undefined;
  #refusal: Response | undefined;
  #body = new ByteQueue();
  #timer: Timer | undefined;
  #waitsForRequest = true;
  #draining = false;
  #ended = false;
  /** Whether the client falls behind in reading. */
  #behind = false;

  constructor(connection: Connection<Uint8Array>, options: HttpSessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#parser = new RequestParser(options.limits);
  }

  /** Reads and answers until the connection has to end. */
  async run(): Promise<void> {
    this.#awaitRequest();
    try {
      for await (const pieces of this.#connection.batches()) {
        for (const bytes of pieces) await this.#take(bytes);
        this.#watchRequest();
      }
      const error = this.#parser.end();
      // The client may have closed its sending side alone, and still read.
      if (error && this.#connection.open && !this.#ended) this.#fail(error);
    } finally {
      this.#timer?.cancel();
    }
  }

  /** Ends it before the next request; one that has begun is answered first. */
  drain(): void {
    this.#draining = true;
    if (this.#parser.idle) this.#end("drained");
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { events, error } = this.#parser.push(bytes);
    for (const event of events) {
      // After a last answer nothing counts any more, pipelined requests least of all.
      if (this.#ended) return;
      this.#handle(event);
      // A client that pipelines without reading is not read from.
      if (this.#behind) await this.#connection.flushed();
    }
    if (error && !this.#ended) this.#fail(error);
  }

  #handle(event: RequestEvent): void {
    switch (event.type) {
      case "head":
        this.#head = event.head;
        this.#refusal = this.#options.store.refuse(event.head);
        if (!event.head.expectsContinue) break;
        // Refused, it may send the body or not: nobody could tell where the next request starts.
        if (this.#refusal) this.#answer(this.#refusal, false);
        else this.#connection.send(CONTINUE);
        break;
      case "body":
        if (!this.#refusal) this.#body.push(event.bytes);
        break;
      case "end":
        this.#finish(this.#head!);
        break;
    }
  }

  #finish(head: RequestHead): void {
    const body = this.#body.take();
    const response = this.#refusal ?? this.#options.store.respond(head, body);
    this.#answer(response, head.keepAlive && !this.#draining);
    this.#head = undefined;
    this.#refusal = undefined;
    this.#awaitRequest();
  }

  #fail(error: HttpError): void {
    this.#answer(text(error.status, error.message), false);
  }

  #answer(response: Response, keepAlive: boolean): void {
    this.#options.answered(response.status);
    const bytes = serializeResponse(response, { request: this.#head, keepAlive, date: new Date() });
    this.#behind = !this.#connection.send(bytes);
    if (!keepAlive) this.#end();
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

  /** A request has begun: what it takes counts from here, so that a byte now and then keeps nothing open. */
  #watchRequest(): void {
    if (!this.#waitsForRequest || this.#parser.idle) return;
    this.#timer?.cancel();
    this.#waitsForRequest = false;
    const { requestTimeout } = this.#options;
    this.#timer = this.#options.clock.after(
      requestTimeout,
      () => this.#fail(new HttpError(408, `Request was not complete after ${requestTimeout} ms`)),
    );
  }
}
