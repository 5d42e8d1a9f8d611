/** HTML templates in which text cannot become markup. Pure. @module */

/** Markup that is safe to insert into a page. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** A value for {@linkcode html}: markup stays markup, and anything else becomes text. */
export type Content = Html | string | number | readonly Content[];

/**
 * A template for markup. Each value in it is text unless it is {@linkcode Html}.
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

/** Characters that change the direction of text, and could disguise it. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escape(text: string): string {
  return text
    .replaceAll(/[&<"']/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(TURNING, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}
