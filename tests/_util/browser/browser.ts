/** A page in headless Chromium, for tests of how a browser renders HTML. */
import puppeteer, { type Page } from "puppeteer-core";

/** The path of an installed Chromium. If it is `undefined`, tests that need one are skipped. */
export const chromium: string | undefined = [
  Deno.env.get("CHROMIUM"),
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && isFile(path));

/** Errors and forbidden requests of a page. */
export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, and every request except the one for the page. */
  readonly complaints: readonly string[];
}

/** Opens `html` from a file, and passes it to `use` when all its scripts have run. */
export async function withPage(html: string, use: (open: OpenPage) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const url = `file://${folder}/page.html`;
  await Deno.writeTextFile(`${folder}/page.html`, html);
  // Without the sandbox, which is not available in a container. The page is trusted.
  const browser = await puppeteer.launch({ executablePath: chromium ?? "", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (request.url() !== url) complaints.push(`requested ${request.url()}`);
    });
    await page.goto(url);
    await use({ page, complaints });
  } finally {
    await browser.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Display settings of a page. */
export interface PageView {
  readonly scheme?: "light" | "dark";
  /** Width of the window in px. Default 1280. */
  readonly width?: number;
  readonly height?: number;
}

/** Opens the page of a server, and passes it to `use`. Requests to that server are allowed. */
export async function withServedPage(
  url: string,
  use: (open: OpenPage) => Promise<void>,
  { scheme = "light", width = 1280, height = 900 }: PageView = {},
): Promise<void> {
  const browser = await puppeteer.launch({ executablePath: chromium ?? "", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      const to = request.url();
      if (!to.startsWith(url) && !to.startsWith("data:")) complaints.push(`requested ${to}`);
    });
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(url);
    await use({ page, complaints });
  } finally {
    await browser.close();
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
