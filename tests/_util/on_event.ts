/**
 * Returns an `onEvent` that handles the events of one type.
 *
 * @example
 * ```ts ignore
 * const reasons: CloseReason[] = [];
 * const server = listen({ onEvent: on("closed", ({ reason }) => reasons.push(reason)) });
 * ```
 *
 * @module
 */
export function on<Event extends { readonly type: string }, Type extends Event["type"]>(
  type: Type,
  handle: (event: Extract<Event, { readonly type: Type }>) => void,
): (event: Event) => void {
  const isWanted = (event: Event): event is Extract<Event, { readonly type: Type }> => event.type === type;
  return (event) => {
    if (isWanted(event)) handle(event);
  };
}
