import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, watchPage } from "./headless-chromium.ts";
import { root, startService } from "./processes.ts";

/** Where pictures of all pages are left, for somebody to look at. */
const pictures = join(root, ".cache/console-pictures");
const key = "a-key-for-the-console";

const resources = new AsyncDisposableStack();
let folder = "";
let serviceUrl = "";
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mlops-backend-console-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(pictures, { recursive: true });
  execFileSync(process.execPath, ["src/console/build.ts"], { cwd: root });
  const hash = createHash("sha256").update(key).digest("hex");
  const { service, url } = await startService(join(folder, "data"), { API_KEYS: `somebody:${hash}` });
  resources.use(service);
  serviceUrl = url;
  browser = await launchChromium();
  resources.defer(() => browser.close());
});
afterAll(() => resources.disposeAsync());

/** A price list as a European Excel writes it: decimal commas, and a column of numbers with a text in it. */
function priceList(): string {
  const lines = Array.from({ length: 240 }, (_, at) => {
    const [weight, isDear] = [(at % 40) / 2 + 0.5, at % 3 === 0];
    const price = at === 100 ? "on request" : ((isDear ? 9 : 2) + weight * 0.75).toFixed(2).replace(".", ",");
    return `${price};${String(weight).replace(".", ",")};${["red", "green", "blue"][at % 3]};${isDear ? "dear" : "cheap"}`;
  });
  return `price;weight kg;colour;label\n${lines.join("\n")}\n`;
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** What axe finds that keeps somebody out; by a script of the test's own, which the page's policy does not see. */
async function seriousViolations(page: Page): Promise<string[]> {
  const violations = await page.evaluate(`${axe.source}; axe.run().then(({ violations }) => violations)`);
  return (violations as { id: string; impact: string; nodes: { html: string }[] }[])
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** The page is in order, in light and dark, and is kept as pictures of both. */
async function lookAt(page: Page, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await expect.poll(() => page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(scheme);
    await picture(page, `${name}-${scheme}`);
    const violations = await seriousViolations(page);
    // Softly: the pictures of the other pages are wanted all the same.
    expect.soft({ name, scheme, violations }).toEqual({ name, scheme, violations: [] });
  }
}

async function giveKey(page: Page, typed: string): Promise<void> {
  await page.locator("input[type=password]").fill(typed);
  await page.locator("main button[type=submit]").click();
}

/** What the browser complains of. That a page which is left asks no further is none of it. */
const complaints = ({ faults }: { faults: string[] }): string[] =>
  faults.filter((fault) => !fault.endsWith("net::ERR_ABORTED"));

test("from a file to a prediction, with a key, and nothing that the browser complains of", async () => {
  const page = await browser.newPage({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
  const seen = watchPage(page, serviceUrl);

  await page.goto(`${serviceUrl}/`);
  await page.getByRole("heading", { name: "This service asks for a key" }).waitFor();
  await lookAt(page, "key");
  await giveKey(page, "not-the-key");
  await page.getByText("does not know this key").waitFor();
  await giveKey(page, key);
  await page.getByRole("heading", { name: "From a table to a model" }).waitFor();
  // Refused calls are what was tried; from here on there is to be nothing.
  expect(complaints(seen).filter((fault) => !fault.includes("401"))).toEqual([]);
  seen.faults.length = 0;
  await lookAt(page, "start");

  const dropped = await page.evaluateHandle(`
    const transfer = new DataTransfer();
    transfer.items.add(new File([${JSON.stringify(priceList())}], "prices.csv", { type: "text/csv" }));
    transfer
  `);
  await page.locator(".drop").dispatchEvent("drop", { dataTransfer: dropped });
  await page.waitForURL(/\/datasets\/[0-9a-f-]+$/);
  const facts = await page.locator(".facts").innerText();
  expect(facts).toMatch(/semicolon/);
  expect(facts).toMatch(/Decimal sign\s+comma/);
  await page.getByText("Numbers and text in one column (line 102)").waitFor();
  await page.getByRole("region", { name: "First rows" }).getByRole("row").nth(1).waitFor();
  await lookAt(page, "dataset");

  await page.getByLabel("Light").check();
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]+$/);
  await page.locator("[data-status=succeeded]").waitFor({ timeout: 120_000 });
  await page.locator(".verdict").waitFor();
  await page.getByRole("region", { name: "How good it is" }).getByText("Accuracy", { exact: true }).waitFor();
  expect(await page.getByRole("list", { name: "Which columns count" }).getByRole("listitem").count()).toBeGreaterThan(
    1,
  );
  await lookAt(page, "run");

  await page.getByRole("link", { name: "Predict with this model" }).click();
  const weight = page.getByLabel("weight kg");
  await weight.waitFor();
  expect(await weight.inputValue()).not.toBe("");
  await weight.fill("much");
  await page.getByRole("button", { name: "Predict" }).click();
  await page.getByText("That is no number.").waitFor();
  await weight.fill("2,5");
  await page.getByLabel("colour", { exact: true }).selectOption("red");
  await page.getByRole("button", { name: "Predict" }).click();
  await expect.poll(() => page.getByTestId("prediction").textContent()).toBe("dear");
  await lookAt(page, "model");

  for (const name of ["Datasets", "Training runs"]) {
    await page.getByRole("navigation").getByRole("link", { name }).click();
    await page.getByRole("main").getByRole("row").nth(1).waitFor();
    await lookAt(page, name.toLowerCase().replace(" ", "-"));
  }
  // The key is nowhere but in this tab.
  expect(await page.evaluate("JSON.stringify([localStorage, document.cookie, location.href])")).not.toContain(key);
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
});
