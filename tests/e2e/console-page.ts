import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { root } from "./processes.ts";

/** Where pictures of all pages of the console are left, for somebody to look at. */
export const pictures = join(root, ".cache/console-pictures");

/** A price list as a European Excel writes it: decimal commas, and a column of numbers with a text in it. */
export function priceList(): string {
  const lines = Array.from({ length: 240 }, (_, at) => {
    const [weight, isDear] = [(at % 40) / 2 + 0.5, at % 3 === 0];
    const price = at === 100 ? "on request" : ((isDear ? 9 : 2) + weight * 0.75).toFixed(2).replace(".", ",");
    return `${price};${String(weight).replace(".", ",")};${["red", "green", "blue"][at % 3]};${isDear ? "dear" : "cheap"}`;
  });
  return `price;weight kg;colour;label\n${lines.join("\n")}\n`;
}

/** What axe finds; by a script of the test's own, which the page's policy does not see. */
async function violationsOf(page: Page): Promise<string[]> {
  const violations = await page.evaluate(`${axe.source}; axe.run().then(({ violations }) => violations)`);
  return (violations as { id: string; nodes: { html: string }[] }[]).map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
  );
}

/** The page is in order, in light and dark, and is kept as pictures of both. */
export async function lookAt(page: Page, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await expect.poll(() => page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(scheme);
    await page.screenshot({ path: join(pictures, `${name}-${scheme}.png`), fullPage: true });
    const violations = await violationsOf(page);
    // Softly: the pictures of the other pages are wanted all the same.
    expect.soft({ name, scheme, violations }).toEqual({ name, scheme, violations: [] });
  }
}

/** How many pixels of a page are beyond the window's side. */
export async function tooWide(page: Page): Promise<number> {
  return Number(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth"));
}

/**
 * What the browser complains of. That a page which is left asks no further is none of it, nor that a busy machine's storage needs
 * longer than its check has: the page of the state is there to say so. Of other calls 503 is told with the address, too.
 */
export const complaints = ({ faults }: { faults: string[] }): string[] =>
  faults.filter((fault) => !/net::ERR_ABORTED$|^503 .*\/api\/health$|status of 503/.test(fault));
