/** Who has to do with which message, found from either side. Pure. @module */

/**
 * One peer's part in one message: it has sent it, or was given it.
 *
 * Nearly every message has one origin and one holder, and lives for a moment while ten thousand others do. A chain of ties
 * costs less than a third of the memory of an array or a set, and so of the time spent on collecting garbage.
 */
export interface Tie<Peer, Message> {
  readonly peer: Peer;
  readonly message: Message;
  /** The next of the message's ties of this kind, in no order. */
  next: Tie<Peer, Message> | undefined;
  /** Its place among the peer's ties of this kind. */
  place: number;
}

/** What can be chained. */
interface Chained {
  next: this | undefined;
}

/** Whether the message of the `chain` and the peer of the `list` are tied. Looks through the shorter of the two. */
export function areTied<Peer, Message>(
  chain: Tie<Peer, Message> | undefined,
  list: readonly Tie<Peer, Message>[],
  ends: { readonly peer: Peer; readonly message: Message },
): boolean {
  let tie = chain;
  for (let i = 0; tie !== undefined && i < list.length; i++) {
    if (tie.peer === ends.peer || list[i]!.message === ends.message) return true;
    tie = tie.next;
  }
  return false;
}

/** Takes a tie from the list of its peer, where the last takes its place. */
export function cutFromPeer<Peer, Message>(tie: Tie<Peer, Message>, list: Tie<Peer, Message>[]): void {
  const last = list.pop()!;
  if (last === tie) return;
  list[tie.place] = last;
  last.place = tie.place;
}

/** The chain without one of its items. */
export function unchain<Item extends Chained>(chain: Item | undefined, item: Item): Item | undefined {
  if (chain === item) return item.next;
  let before = chain;
  while (before !== undefined && before.next !== item) before = before.next;
  if (before !== undefined) before.next = item.next;
  return chain;
}

/** The items of a chain; the one just given may be taken out. */
export function* each<Item extends Chained>(chain: Item | undefined): Generator<Item> {
  for (let item = chain; item !== undefined;) {
    const { next } = item;
    yield item;
    item = next;
  }
}
