/** Merges the history of a run from its parts, one per process, into one file. @module */
import type { HistoryEvent, RunEvent } from "./events.ts";
import { HistoryFile } from "./file.ts";
import { formatHistoryLine } from "./line_format.ts";
import { readLines } from "./line_file.ts";
import { removeIfThere } from "../../internal/whole_file.ts";

/** Collects the events of a run, and writes them as one history. */
export class HistoryMerger implements Disposable {
  /** The file to which the server under test writes its events. */
  readonly serverPath: string;
  readonly #path: string;
  readonly #file: HistoryFile;
  readonly #own: HistoryEvent[] = [];
  readonly #parts = new Set<string>();

  /** Starts a history that replaces `path` when it is finished. Until then, an earlier file stays as it was. */
  constructor(path: string) {
    this.#path = path;
    this.serverPath = `${path}.server`;
    this.#file = new HistoryFile(path);
  }

  /** Returns where the given part of the generator writes its events. */
  partPath(part: number): string {
    const path = `${this.#path}.part-${part}`;
    this.#parts.add(path);
    return path;
  }

  /** Records an event of the run itself, such as the final state of the server. */
  record(event: HistoryEvent): void {
    this.#own.push(event);
  }

  /**
   * Writes the history and its verdict: the plan first, then all events by time. The files of the parts are removed.
   *
   * @param options.parts Number of parts of the generator
   */
  async finish(
    run: RunEvent,
    { parts, verdict, crossed }: { parts: number; verdict: string; crossed: readonly string[] },
  ): Promise<void> {
    const paths = Array.from({ length: parts }, (_, part) => this.partPath(part));
    this.#file.write(run);
    const own = new Source(ReadableStream.from([linesOf(this.#own)]));
    for await (const line of inOrder([own, ...paths.map((path) => new Source(partLines(path)))])) {
      this.#file.writeLine(line);
    }
    this.#file.finish(verdict, crossed);
    this[Symbol.dispose]();
  }

  /** Removes the files of the parts, and the history unless it is finished. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    for (const path of [...this.#parts, this.serverPath]) removeIfThere(path);
  }
}

interface TimedLine {
  readonly at: number;
  readonly line: string;
}

/** Lines in order, with a look at the next one. */
class Source {
  readonly #batches: AsyncIterator<readonly TimedLine[]>;
  #batch: readonly TimedLine[] = [];
  #place = 0;

  constructor(batches: AsyncIterable<readonly TimedLine[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  get next(): TimedLine | undefined {
    return this.#batch[this.#place];
  }

  /** Moves to the next line. Returns `false` if {@linkcode Source.fill} must be called. */
  advance(): boolean {
    return ++this.#place < this.#batch.length;
  }

  /** Reads until there is a line. Returns `false` at the end. */
  async fill(): Promise<boolean> {
    while (this.next === undefined) {
      const { done, value } = await this.#batches.next();
      if (done) return false;
      this.#batch = value;
      this.#place = 0;
    }
    return true;
  }
}

/** Yields the lines of all sources by time. */
async function* inOrder(all: readonly Source[]): AsyncGenerator<string> {
  const sources: Source[] = [];
  for (const source of all) if (await source.fill()) sources.push(source);
  while (sources.length > 0) {
    const source = sources.reduce((first, other) => timeOf(other) < timeOf(first) ? other : first);
    if (source.next) yield source.next.line;
    if (!source.advance() && !await source.fill()) sources.splice(sources.indexOf(source), 1);
  }
}

function timeOf({ next }: Source): number {
  return next?.at ?? Infinity;
}

function linesOf(events: readonly HistoryEvent[]): TimedLine[] {
  return events.map((event) => ({ at: whenOf(event), line: formatHistoryLine(event) }))
    .sort((one, other) => one.at - other.at);
}

/** Yields the lines of a part: none if its process wrote nothing, and without a line cut off when it was killed. */
async function* partLines(path: string): AsyncGenerator<readonly TimedLine[]> {
  try {
    for await (const lines of readLines(path)) yield lines.flatMap(timed);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function timed(line: string): TimedLine[] {
  try {
    return [{ at: whenOf(JSON.parse(line) as HistoryEvent), line }];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}

/** Returns the position of an event: the plan first, and events without a time last. */
function whenOf(event: HistoryEvent): number {
  if (event.event === "planned") return -Infinity;
  return "at" in event ? event.at : Infinity;
}
