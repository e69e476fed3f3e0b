/** Makes the README's pictures of the console anew, of a model of the sample: `npm run pictures`, where there is a Chromium. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchChromium } from "./headless-chromium.ts";
import { root, startService } from "./processes.ts";

const pictures = join(root, "docs/pictures");
const folder = mkdtempSync(join(tmpdir(), "mlops-backend-pictures-"));

await using resources = new AsyncDisposableStack();
resources.defer(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(pictures, { recursive: true });
execFileSync(process.execPath, ["src/console/build.ts"], { cwd: root, stdio: "inherit" });
const { service, url } = await startService(join(folder, "data"));
resources.use(service);
const browser = await launchChromium();
resources.defer(() => browser.close());
const page = await browser.newPage({
  locale: "en-GB",
  colorScheme: "light",
  reducedMotion: "reduce",
  viewport: { width: 1_100, height: 820 },
});

async function keep(name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate("window.scrollTo(0, 0)");
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

await page.goto(`${url}/`);
await page.getByRole("button", { name: "Try it with sample data" }).click();
await page.getByRole("region", { name: "First rows" }).getByRole("row").nth(1).waitFor();
await keep("dataset");
await page.getByRole("button", { name: "Train", exact: true }).click();
await page.getByRole("link", { name: "Predict with this model" }).waitFor({ timeout: 120_000 });
await keep("run");
await page.getByRole("link", { name: "Predict with this model" }).click();
await page.getByRole("button", { name: "Predict", exact: true }).click();
await page.getByRole("heading", { name: "Why" }).waitFor();
await keep("model");
