/** HTML put together so that no text can become markup. Pure. @module */

/** Markup, safe to put into a page as it is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What {@linkcode html} takes: markup stays, anything else is text. */
export type Content = Html | string | number | readonly Content[];

/**
 * A template for markup: each value in it is text unless it is {@linkcode Html} itself.
 *
 * @example
 * ```ts
 * import { html } from "./html.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(html`<p title="${'"'}">${"<b>"} ${html`<i>`}</p>`.markup, `<p title="&quot;">&lt;b> <i></p>`);
 * ```
 */
export function html(markup: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(String.raw({ raw: markup }, ...values.map(markupOf)));
}

/**
 * JSON for a `<script type="application/json">`, which nothing inside can end.
 *
 * @param value Plain data; numbers that JSON does not have become `null`.
 */
export function jsonScript(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
}

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup;
  if (typeof content === "object") return content.map(markupOf).join("");
  return escape(String(content));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", '"': "&quot;", "'": "&#39;" };

/** Characters that turn the direction of the text after them, and so could make it read as something else. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escape(text: string): string {
  return text
    .replaceAll(/[&<"']/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(TURNING, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}
