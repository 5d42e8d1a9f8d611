/** The history of a run: in parts while it goes on, one for each process, and one file when it is over. @module */
import type { HistoryEvent, RunEvent } from "./events.ts";
import { HistoryFile } from "./file.ts";
import { formatHistoryLine } from "./line_format.ts";
import { readLines } from "./line_file.ts";

/** The events of a run on their way to a file. */
export class HistoryMerger implements Disposable {
  /** Where the server under test is to write what it sees. */
  readonly serverPath: string;
  readonly #path: string;
  readonly #draft: string;
  readonly #file: HistoryFile;
  #isFinished = false;
  readonly #own: HistoryEvent[] = [];

  /**
   * Creates a draft of the file, which replaces it when the run is over: until then, an earlier history stays. A device or
   * a pipe is written in place.
   */
  constructor(path: string) {
    this.#path = path;
    this.serverPath = `${path}.server`;
    this.#draft = isSpecial(path) ? path : `${path}.draft`;
    this.#file = new HistoryFile(this.#draft);
  }

  /** Where the generator's part of that number is to write its events. */
  partPath(part: number): string {
    return `${this.#path}.part-${part}`;
  }

  /** Takes an event of the run itself, such as what the server was left with. */
  record(event: HistoryEvent): void {
    this.#own.push(event);
  }

  /**
   * Writes the whole history, in the order of time after the plan, and the verdict, and closes it; the parts are removed.
   *
   * @param options.parts How many parts the generator had.
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
    this.#file.writeVerdict(verdict, crossed);
    this.#file[Symbol.dispose]();
    if (this.#draft !== this.#path) await Deno.rename(this.#draft, await targetOf(this.#path));
    this.#isFinished = true;
    for (const path of [...paths, this.serverPath]) await removeIfThere(path);
  }

  /** Closes the file. The draft of a run that did not finish is removed. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    if (!this.#isFinished && this.#draft !== this.#path) Deno.removeSync(this.#draft);
  }
}

/** Whether `path` is a device or a pipe. */
function isSpecial(path: string): boolean {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    if (isDirectory) throw new Deno.errors.IsADirectory();
    return !isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The file that `path` names, which a symbolic link may lead to: a rename must not replace the link. */
async function targetOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

interface TimedLine {
  readonly at: number;
  readonly line: string;
}

/** Lines in their order, the next of which can be looked at. */
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

  /** Goes on to the next line; `true` when it is at hand, `false` when {@linkcode Source.fill} must be called. */
  advance(): boolean {
    return ++this.#place < this.#batch.length;
  }

  /** Reads on; `false` at the end. */
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

/** The lines of all sources by their time. */
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

/** The lines of a part; none where its process came to nothing, and not one that it was killed over. */
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

/** Where an event stands in the history: the plan comes first, and what has no time last. */
function whenOf(event: HistoryEvent): number {
  if (event.event === "planned") return -Infinity;
  return "at" in event ? event.at : Infinity;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
