/** The task of all relay clients of a fleet: they send and answer as planned. @module */
import { unescapeText } from "../../protocol.ts";
import type { ClientTask } from "../../relay/client_task.ts";
import type { ReplyDelay } from "../../relay/client_options.ts";
import type { Line } from "../../socket/codecs/line.ts";
import type { MessageName } from "../history/events.ts";
import type { Plan } from "../plan/plan.ts";
import { ClientRecorder, type ClientRecorderOptions } from "./client_recorder.ts";

/** Options for {@linkcode RelayTask}. */
export interface RelayTaskOptions extends ClientRecorderOptions {
  /** Called when a client has ended. */
  readonly onOver: (client: number) => void;
  /** Called when a client cannot go on, because something threw that must not. */
  readonly onFailed: (error: unknown) => void;
}

/** Messages of the plan are numbers here, and become text only on the wire; others are strings. */
export class RelayTask extends ClientRecorder implements ClientTask<MessageName> {
  readonly longestDelay: number;
  readonly over: (client: number) => void;
  readonly #onFailed: (error: unknown) => void;
  readonly #plan: Plan;
  /** The delays of clients that received messages from outside of the plan. */
  readonly #foreignDelays = new Map<number, ReplyDelay>();

  constructor(options: RelayTaskOptions) {
    super(options);
    this.#plan = options.plan;
    this.longestDelay = options.plan.longestReplyDelay;
    this.over = options.onOver;
    this.#onFailed = options.onFailed;
  }

  failed(_client: number, error: unknown): void {
    this.#onFailed(error);
  }

  textOf(client: number): string {
    return this.#plan.text(client);
  }

  messageAt(line: Line, start: number): MessageName {
    return this.#plan.findLine(line, start) ?? unescapeText(line.text(start));
  }

  textOfMessage(message: MessageName): string {
    return typeof message === "number" ? this.#plan.text(message) : message;
  }

  isOwn(client: number, message: MessageName): boolean {
    return message === client;
  }

  delayOf(client: number, message: MessageName): number {
    if (typeof message === "number") return this.#plan.replyDelay(message);
    let delay = this.#foreignDelays.get(client);
    if (delay === undefined) this.#foreignDelays.set(client, delay = this.#plan.replyDelayOf(client));
    return delay.draw(message);
  }
}
