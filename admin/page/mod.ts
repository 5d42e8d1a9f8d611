/** The page and what belongs to it, embedded in the program. @module */
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import type { AdminResponse } from "../request.ts";
import charts from "./charts.js" with { type: "text" };
import connections from "./connections.js" with { type: "text" };
import control from "./control.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import html from "./index.html" with { type: "text" };
import loadTestView from "./loadtest_view.js" with { type: "text" };
import main from "./main.js" with { type: "text" };
import serverView from "./server_view.js" with { type: "text" };
import style from "./page.css" with { type: "text" };

/** The page runs only its own scripts, connects only to the admin server, and cannot be framed. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

const ASSETS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  "/": ["text/html; charset=utf-8", html],
  "/assets/page.css": [STYLE, style],
  "/assets/uplot.css": [STYLE, uplotStyle],
  "/assets/uplot.js": [SCRIPT, uplotScript],
  "/assets/charts.js": [SCRIPT, charts],
  "/assets/connections.js": [SCRIPT, connections],
  "/assets/control.js": [SCRIPT, control],
  "/assets/format.js": [SCRIPT, format],
  "/assets/loadtest_view.js": [SCRIPT, loadTestView],
  "/assets/main.js": [SCRIPT, main],
  "/assets/server_view.js": [SCRIPT, serverView],
};

/** Returns the page, or a script or style of it, or `undefined` for any other path. */
export function pageAsset(path: string): AdminResponse | undefined {
  if (!Object.hasOwn(ASSETS, path)) return undefined;
  const [type, body] = ASSETS[path]!;
  return { status: 200, headers: { "Content-Type": type, "Content-Security-Policy": POLICY }, body };
}
