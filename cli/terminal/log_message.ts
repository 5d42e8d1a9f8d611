/** Log messages: their levels, templates, and fields. Pure. @module */

/** The levels of log messages, the least important first. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** The level of a log message. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The data of a log message by name, for machines. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Returns a template that stands for `text` itself, also if it has braces. */
export function literally(text: string): string {
  return text.replaceAll("{", "{{").replaceAll("}", "}}");
}

const PART = /\{\{|\}\}|\{(\w+)\}/g;

/**
 * Returns the text of a message. Without fields, the template is the text.
 *
 * @example
 * ```ts
 * import { fillTemplate } from "./log_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fillTemplate("{peer} closed", { peer: "127.0.0.1:40000" }), "127.0.0.1:40000 closed");
 * assertEquals(fillTemplate("{peer} closed"), "{peer} closed");
 * ```
 */
export function fillTemplate(template: string, fields?: LogFields): string {
  if (fields === undefined) return template;
  return template.replace(PART, (part, name: string | undefined) => {
    if (name === undefined) return part.charAt(0);
    return Object.hasOwn(fields, name) ? String(fields[name]) : part;
  });
}
