import { execFileSync } from "node:child_process";
import { type Browser, chromium, type Page } from "playwright-core";

/** The machine's Chromium, asking nobody for anything by itself. */
export function launchChromium(): Promise<Browser> {
  const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Collects what a page complains of, and what it asks of others than `origin`. */
export function watchPage(page: Page, origin: string): { faults: string[]; elsewhere: string[] } {
  const seen = { faults: [] as string[], elsewhere: [] as string[] };
  page.on("console", (message) => {
    if (message.type() === "error") seen.faults.push(message.text());
  });
  page.on("pageerror", (error) => seen.faults.push(error.message));
  page.on("requestfailed", (request) => seen.faults.push(`${request.url()} ${request.failure()?.errorText ?? ""}`));
  page.on("response", (response) => {
    if (response.status() >= 400) seen.faults.push(`${response.status()} ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) seen.elsewhere.push(url);
  });
  return seen;
}
