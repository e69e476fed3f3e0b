import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startService } from "./processes.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-pages-"));
const resources = new AsyncDisposableStack();
let serviceUrl = "";
let browser: Browser;

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { service, url } = await startService(join(folder, "data"));
  resources.use(service);
  serviceUrl = url;
  const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  browser = await chromium.launch({
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
  resources.defer(() => browser.close());
});
afterAll(() => resources.disposeAsync());

test("Swagger UI shows the API without errors and without asking anyone else", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const faults: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("requestfailed", (request) => faults.push(`${request.url()} ${request.failure()?.errorText ?? ""}`));
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  page.on("request", (request) => requests.push(request.url()));

  await page.goto(`${serviceUrl}/api/docs`, { waitUntil: "networkidle" });
  await page.locator(".opblock").first().waitFor();
  expect(await page.locator(".opblock").count()).toBeGreaterThan(5);
  expect(await page.locator(".info .title").textContent()).toContain("mlops-backend");
  await page.locator(".opblock-summary").first().click();
  await page.locator(".opblock-body").first().waitFor();

  const screenshot = join(folder, "docs.png");
  await page.screenshot({ path: screenshot, fullPage: true });
  expect(statSync(screenshot).size).toBeGreaterThan(10_000);
  const elsewhere = requests.filter((url) => !url.startsWith(`${serviceUrl}/`) && !url.startsWith("data:"));
  expect({ faults, elsewhere }).toEqual({ faults: [], elsewhere: [] });
});
