// Over 300 lines: all ways through a browser share one service, and each goes on with what the one before has left there.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { complaints, lookAt, pictures, priceList, tooWide } from "./console-page.ts";
import { launchChromium, watchPage } from "./headless-chromium.ts";
import { startNginx } from "./nginx-process.ts";
import { root, startService } from "./processes.ts";

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

async function giveKey(page: Page, typed: string): Promise<void> {
  await page.locator("input[type=password]").fill(typed);
  await page.locator("main button[type=submit]").click();
}

test("from a file to a prediction, with a key, and nothing that the browser complains of", async () => {
  const page = await browser.newPage({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
  const seen = watchPage(page, serviceUrl);

  await page.goto(`${serviceUrl}/`);
  await page.getByRole("heading", { name: "This service asks for a key" }).waitFor();
  await lookAt(page, "key");
  // The second is what another keyboard makes of a key, which no header can hold.
  for (const wrong of ["not-the-key", "ф-лун-ащк-еру-сщтыщду"]) {
    await giveKey(page, wrong);
    await page.getByText("does not know this key").waitFor();
  }
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
  // Those of the profile come behind them, when it is made.
  const facts = await page.locator(".facts").first().innerText();
  expect(facts).toMatch(/semicolon/);
  expect(facts).toMatch(/Decimal sign\s+comma/);
  await page.getByText("Numbers and text in one column (line 102)").waitFor();
  await page.getByRole("region", { name: "First rows" }).getByRole("row").nth(1).waitFor();
  await page.getByRole("img", { name: /^How weight kg is spread from 0.5 to 20;/ }).waitFor();
  await page.getByRole("list", { name: "Most frequent values of colour" }).getByText("red").waitFor();
  await lookAt(page, "dataset");

  // A target that was chosen, and is left out then, must not be trained on unseen.
  await page.getByLabel("What to predict").selectOption("price");
  await page.getByRole("button", { name: "Correct types and roles" }).click();
  await page.getByLabel("Type: weight kg").selectOption("text");
  await page.getByLabel("Role: price").selectOption("left out");
  await lookAt(page, "dataset-corrected");
  const correct = page.getByRole("button", { name: "Correct types and roles" });
  await page.getByRole("button", { name: "Save" }).click();
  await correct.waitFor();
  // Nothing was trained on it: it is the same dataset, understood otherwise.
  const columns = page.getByRole("region", { name: "Columns" });
  await columns.getByRole("row", { name: /^price\s+number\s+left out/ }).waitFor();
  await columns.getByRole("row", { name: /^weight kg\s+text/ }).waitFor();
  expect(await page.getByLabel("What to predict").inputValue()).toBe("label");
  await page.getByLabel("What to predict").selectOption("label");
  await correct.click();
  await page.getByLabel("Type: weight kg").selectOption("as its values tell");
  await page.getByLabel("Role: price").selectOption("to learn from");
  await page.getByRole("button", { name: "Save" }).click();
  await correct.waitFor();
  await columns.getByRole("row", { name: /^price\s+number\s+to learn from/ }).waitFor();

  const address = page.url();
  await page.getByRole("button", { name: "Skip to content" }).focus();
  await page.keyboard.press("Enter");
  expect([page.url(), await page.evaluate("document.activeElement.id")]).toEqual([address, "content"]);
  // By the keyboard alone: the target, then the modes as one group, then the button.
  await page.getByLabel("What to predict").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  expect(await page.getByLabel("Light").isChecked()).toBe(true);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/runs\/[0-9a-f-]+$/);
  await page.locator("[data-status=succeeded]").waitFor({ timeout: 120_000 });
  await page.locator(".verdict").waitFor();
  await page.getByRole("region", { name: "How good it is" }).getByText("Accuracy", { exact: true }).waitFor();
  expect(await page.getByRole("list", { name: "Which columns count" }).getByRole("listitem").count()).toBeGreaterThan(
    1,
  );
  for (const curve of ["ROC curve", "Precision and recall", "Calibration"])
    await page.getByRole("img", { name: curve }).locator("canvas").waitFor();
  // What a canvas shows is there to be read, too.
  await page.getByText("As a table").first().click();
  expect(
    await page.getByRole("region", { name: "ROC curve" }).getByRole("row").nth(1).getByRole("cell").allTextContents(),
  ).toEqual(["0", "0"]);
  await lookAt(page, "run");

  await page.getByRole("link", { name: "Predict with this model" }).click();
  const weight = page.getByLabel("weight kg");
  await weight.waitFor();
  expect(await weight.inputValue()).not.toBe("");
  await weight.fill("much");
  await page.getByRole("button", { name: "Predict" }).click();
  await page.getByText("That is no number,").waitFor();
  await weight.fill("2,5");
  await page.getByLabel("colour", { exact: true }).selectOption("red");
  await page.getByRole("button", { name: "Predict" }).click();
  await expect.poll(() => page.getByTestId("prediction").textContent()).toBe("dear");
  expect(await page.getByRole("list", { name: "Why" }).getByRole("listitem").allInnerTexts()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^colour\s+\+\d/)]),
  );
  // A file, in the ways of tables: semicolons, decimal commas, and a value that no row had.
  const file = page.getByRole("region", { name: "A file of rows" });
  const rows = Array.from({ length: 12 }, (_, at) => `${at},5;2,5;${at === 1 ? "violet" : "red"}\n`).join("");
  await page.locator("input[type=file]").setInputFiles({
    name: "more.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(`price;weight kg;colour\n${rows}`),
  });
  await page.getByText("more.csv: 12 rows.").waitFor();
  await file.getByRole("row", { name: /^2 (dear|cheap) \(\d.*%\) colour$/ }).waitFor();
  await page.getByRole("button", { name: "Show 2 more" }).click();
  expect(await file.getByRole("row").count()).toBe(13);
  const answers = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save all as CSV" }).click();
  expect((await answers).suggestedFilename()).toBe("more-predicted.csv");
  expect(readFileSync((await (await answers).path())!, "utf8")).toMatch(
    /^row,prediction,chance of cheap,chance of dear,unknown\n1,(dear|cheap),.*\n2,.*,colour\n/,
  );
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await page.getByRole("button", { name: "Take the pin off" }).waitFor();
  await lookAt(page, "model");
  // What is copied from here works where it is pasted.
  const command = await page.locator("pre", { hasText: "curl" }).textContent();
  const said = execFileSync("bash", ["-c", command!], { env: { ...process.env, API_KEY: key }, encoding: "utf8" });
  expect(JSON.parse(said)).toMatchObject({ predictions: [{ prediction: expect.stringMatching(/^(dear|cheap)$/) }] });
  for (const [button, name] of [
    ["Download ONNX", /^model-[0-9a-f-]+\.onnx$/],
    ["Download XGBoost", /^model-[0-9a-f-]+\.json$/],
  ] as const) {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: button }).click();
    expect((await download).suggestedFilename()).toMatch(name);
    expect(statSync((await (await download).path())!).size).toBeGreaterThan(500);
  }

  for (const name of ["Datasets", "Training runs", "Models", "State"]) {
    await page.getByRole("navigation").getByRole("link", { name }).click();
    await page.getByRole("main").getByRole("row").nth(1).waitFor();
    if (name === "State") await page.getByText("Running for").waitFor();
    await lookAt(page, name.toLowerCase().replace(" ", "-"));
  }
  // The key is nowhere but in this tab.
  expect(await page.evaluate("JSON.stringify([localStorage, document.cookie, location.href])")).not.toContain(key);
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
});

test("models are compared, and what a model was made of stays as it was", async () => {
  const page = await browser.newPage({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
  await page.addInitScript(`sessionStorage.setItem("api-key", ${JSON.stringify(key)})`);
  const seen = watchPage(page, serviceUrl);
  await page.goto(`${serviceUrl}/datasets`);
  await page.getByRole("link", { name: "prices", exact: true }).click();
  await page.getByRole("heading", { name: "prices" }).waitFor();
  const address = page.url();
  await page.getByLabel("Heavy").check();
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.locator("[data-status=succeeded]").waitFor({ timeout: 120_000 });
  await page.goto(address);
  for (const mode of ["Light", "Heavy"]) await page.getByLabel(new RegExp(`^Compare label, ${mode},`)).check();
  await page.getByRole("link", { name: "Compare 2" }).click();
  const measured = page.getByRole("region", { name: "How good they are" });
  await measured.getByRole("link", { name: "A: Light" }).waitFor();
  await measured
    .getByRole("row", { name: /^Log loss/ })
    .getByText(/^(better|worse|may be chance): [−+-]/)
    .waitFor();
  await page.getByRole("region", { name: "How they differ" }).getByRole("row", { name: "Mode Light Heavy" }).waitFor();
  await lookAt(page, "compare");
  await measured.getByRole("link", { name: "Compare with B" }).click();
  await measured.getByRole("link", { name: "A: Heavy" }).waitFor();

  // What a model was made of stays: the correction is a version of it, which may be deleted.
  await page.goto(address);
  await page.getByRole("button", { name: "Correct types and roles" }).click();
  await page.getByLabel("Role: price").selectOption("target");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("This is version 2: a model was trained on the dataset before,").waitFor();
  expect(page.url()).not.toBe(address);
  expect(await page.getByLabel("What to predict").inputValue()).toBe("price");
  await page.getByRole("button", { name: "Delete the dataset" }).click();
  await page.getByRole("button", { name: "Yes, delete" }).click();
  await page.waitForURL(/\/datasets$/);
  await expect.poll(() => page.getByRole("main").getByRole("link").allTextContents()).toEqual(["prices"]);
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
});

/** A page of a browser that wishes for Russian, on a phone, with the key typed. */
async function openOnPhone(path: string, origin = serviceUrl): Promise<Page> {
  const page = await browser.newPage({ locale: "ru-RU", viewport: { width: 360, height: 740 } });
  await page.addInitScript(`sessionStorage.setItem("api-key", ${JSON.stringify(key)})`);
  await page.goto(`${origin}${path}`);
  return page;
}

test("the sample in Russian on a phone, where no page is wider than the window", async () => {
  const page = await openOnPhone("/");
  const seen = watchPage(page, serviceUrl);
  const look = async (name: string): Promise<void> => {
    await lookAt(page, `${name}-ru-360`);
    expect.soft([name, await tooWide(page)]).toEqual([name, 0]);
  };
  await page.getByRole("heading", { name: "От таблицы к модели" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("ru");
  await look("start");
  await page.getByRole("button", { name: "Попробовать на примере" }).click();
  await page.waitForURL(/\/datasets\/[0-9a-f-]+$/);
  await page.getByText(/^1\s461 строка, 6 столбцов$/).waitFor();
  await page.getByRole("region", { name: "Первые строки" }).getByRole("row").nth(1).waitFor();
  await page.getByRole("list", { name: "Самые частые значения столбца weather" }).waitFor();
  await look("dataset");

  await page.getByRole("button", { name: "Обучить" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]+$/);
  await page.locator("[data-status=succeeded]").waitFor({ timeout: 120_000 });
  await page.getByText(/^Ошибок на \d+\s% меньше, чем при угадывании\.$/).waitFor();
  await look("run");
  await page.getByRole("link", { name: "Предсказать этой моделью" }).click();
  await page.getByLabel("wind").fill("4,5");
  await page.getByRole("button", { name: "Предсказать" }).click();
  await page.getByTestId("prediction").waitFor();
  await look("model");
  for (const [link, name] of [
    ["Данные", "datasets"],
    ["Обучения", "runs"],
    ["Модели", "models"],
    ["Состояние", "state"],
  ] as const) {
    await page.getByRole("navigation").getByRole("link", { name: link, exact: true }).click();
    await page.getByRole("main").getByRole("row").nth(1).waitFor();
    if (name === "state") await page.getByText("Работает").waitFor();
    await look(name);
  }

  // What the test before has trained: of two classes there are curves.
  await page.getByRole("navigation").getByRole("link", { name: "Обучения", exact: true }).click();
  for (const at of [0, 1])
    await page
      .getByLabel(/^Сравнить label,/)
      .nth(at)
      .check();
  await page.getByRole("link", { name: "Сравнить (2)" }).click();
  await page.getByRole("region", { name: "Насколько они хороши" }).getByRole("row").nth(1).waitFor();
  await look("compare");
  await page.getByRole("link", { name: /^A: / }).first().click();
  await page.getByRole("img", { name: "Калибровка" }).locator("canvas").waitFor();
  await look("run-curves");

  await page.getByRole("navigation").getByRole("link", { name: "Состояние" }).click();
  await page.getByLabel("Язык").selectOption("en");
  await page.getByRole("heading", { name: "How the service is" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "How the service is" }).waitFor();
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
});

test("a run is followed while it trains, and cancelled on a second word", async () => {
  const page = await browser.newPage({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
  await page.addInitScript(`sessionStorage.setItem("api-key", ${JSON.stringify(key)})`);
  await page.goto(`${serviceUrl}/datasets`);
  const seen = watchPage(page, serviceUrl);
  await page.getByRole("link", { name: "prices" }).click();
  await page.getByLabel("Auto").check();
  await page.getByLabel("What to predict").selectOption("price");
  await page.getByText("The model will say a number.").waitFor();
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.locator("[data-status=running]").waitFor();
  await page.getByText(/^\d+ of \d+ trials$/).waitFor();
  await lookAt(page, "running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  // What a search has found by then is made a model of.
  await page.locator("[data-status=cancelled], [data-status=succeeded]").waitFor({ timeout: 120_000 });
  await lookAt(page, "cancelled");
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
  // Another target, or no model: they can't be compared, and the service says why.
  const run = page.url().split("/").at(-1);
  await page.goto(`${serviceUrl}/runs`);
  const other = await page.getByRole("link", { name: "label" }).first().getAttribute("href");
  await page.goto(`${serviceUrl}/runs/compare?ids=${other?.split("/").at(-1)},${run}`);
  await page
    .getByRole("alert")
    .getByText(/^Run [0-9a-f-]+ (and the first one|has no model)/)
    .waitFor();
  await page.getByText("RUNS_NOT_COMPARABLE").waitFor();
});

test("a run is followed to its end though the service is killed and comes back", async () => {
  const place = { data: join(folder, "killed"), port: { SERVICE_PORT: String(await freePort()) } };
  const first = await startService(place.data, place.port);
  resources.use(first.service);
  const form = new FormData();
  form.append("file", new Blob([priceList()]), "prices.csv");
  const uploaded = await fetch(`${first.url}/api/ml/v1/datasets/upload`, { method: "POST", body: form });
  const { id: datasetId } = (await uploaded.json()) as { id: string };
  const submitted = await fetch(`${first.url}/api/ml/v1/training-runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ datasetId, mode: "auto" }),
  });
  const { id } = (await submitted.json()) as { id: string };
  const page = await browser.newPage({ locale: "en-GB" });
  await page.goto(`${first.url}/runs/${id}`);
  await page.locator("[data-status=running]").waitFor({ timeout: 120_000 });
  await first.service.kill();
  // It stays as it was seen last, and is not taken away.
  await expect.poll(() => fetch(first.url).catch(() => "away")).toBe("away");
  expect(await page.locator("[data-status=running]").count()).toBe(1);
  const second = await startService(place.data, place.port);
  resources.use(second.service);
  await page.locator("[data-status=succeeded]").waitFor({ timeout: 240_000 });
  await page.locator(".verdict").waitFor();
});

test("below a prefix that only a proxy knows, an address that was sent to somebody opens", async () => {
  const { url } = resources.use(await startNginx(`location /lab/ { proxy_pass ${serviceUrl}/; proxy_buffering off; }`));
  const page = await openOnPhone("/lab/datasets", url);
  const seen = watchPage(page, url);
  await page.getByRole("link", { name: "prices" }).click();
  await page.getByRole("heading", { name: "prices" }).waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/lab\/datasets\/[0-9a-f-]+$/);
  await page.reload();
  await page.getByRole("heading", { name: "prices" }).waitFor();
  await page.getByRole("region", { name: "Первые строки" }).getByRole("row").nth(1).waitFor();
  expect([complaints(seen), seen.elsewhere]).toEqual([[], []]);
});
