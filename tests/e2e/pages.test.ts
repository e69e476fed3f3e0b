import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, watchPage } from "./headless-chromium.ts";
import { startService } from "./processes.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-pages-"));
const resources = new AsyncDisposableStack();
let serviceUrl = "";
let browser: Browser;

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { service, url } = await startService(join(folder, "data"), { CONSOLE__ENABLED: "false" });
  resources.use(service);
  serviceUrl = url;
  browser = await launchChromium();
  resources.defer(() => browser.close());
});
afterAll(() => resources.disposeAsync());

test("Swagger UI shows the API without errors and without asking anyone else", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const seen = watchPage(page, serviceUrl);
  await page.goto(`${serviceUrl}/`, { waitUntil: "networkidle" });
  expect(page.url()).toBe(`${serviceUrl}/api/docs`);
  await page.locator(".opblock").first().waitFor();
  expect(await page.locator(".opblock").count()).toBeGreaterThan(5);
  expect(await page.locator(".info .title").textContent()).toContain("mlops-backend");
  await page.locator(".opblock-summary").first().click();
  await page.locator(".opblock-body").first().waitFor();

  const screenshot = join(folder, "docs.png");
  await page.screenshot({ path: screenshot, fullPage: true });
  expect(statSync(screenshot).size).toBeGreaterThan(10_000);
  expect(seen).toEqual({ faults: [], elsewhere: [] });
});
