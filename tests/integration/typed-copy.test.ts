import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { dialectOf } from "../../src/datasets/kept/dataset-repository.ts";
import { openStore } from "../../src/store/database.ts";
import { readHead } from "../../src/tables/csv-head.ts";
import { plainCsv } from "../../src/tables/plain-csv.ts";
import { typedCopy, typedCsv } from "../../src/tables/typed-table.ts";
import { loadTable, loadTypedCopy } from "../../src/training/load-table.ts";
import { eventually, type RunningService, startService, withService } from "../support/service.ts";
import { readFixture, tableFixtures } from "../support/table-fixtures.ts";

type Place = Pick<RunningService, "dataDir">;
const folderOf = ({ dataDir }: Place, kind: string): string => join(dataDir, "files", kind);

const datasetOf = async (service: RunningService, id: string) => (await service.call("GET", `/datasets/${id}`)).json;
const typedOf = (service: RunningService, id: string): Promise<number> =>
  eventually(async () => (await datasetOf(service, id)).typedBytes ?? undefined);
const rowsOf = async (service: RunningService, id: string, query = "?limit=100") => {
  const answer = await service.call("GET", `/datasets/${id}/rows${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

async function upload(service: RunningService, content: Buffer | string, name = "table.csv"): Promise<string> {
  const answer = await service.upload(content, { name }, name);
  expect(answer.status, answer.text).toBe(201);
  return answer.json.id;
}

const rowCount = 300_000;
/** Several groups of rows, in an order that no sorting makes, with what is easily lost on the way. */
function largeCsv(): string {
  const odd = ["inf", "-inf", "1e999", "NA", "", "-0.0", "1.0", "007", "-999"];
  const lines = Array.from({ length: rowCount }, (_, row) => {
    const number = row % 97 === 0 ? odd[(row / 97) % 6] : `${(row * 7919) % rowCount}.5`;
    const text = row % 89 === 0 ? odd[(row / 89) % odd.length] : `"w ${(row * 31) % 1009}, ""ö"""`;
    return row % 50_000 === 49_999 ? ",,,\n" : `${row},${number},${text},${row % 3 === 0 ? "1.0" : "a"}\n`;
  });
  return `n,x,words,label\n${lines.join("")}`;
}

describe("the typed copy of a table", () => {
  test("is the same table, of every file that is accepted", async () => {
    const service = await startService({ env: { MAX_CSV_UPLOAD_BYTES: "50000000" } });
    const ids = new Map<string, string>();
    for (const { file, fields, refused } of tableFixtures) {
      if (refused !== undefined) continue;
      const name = `${file} ${JSON.stringify(fields ?? {})}`;
      const { json, status, text } = await service.upload(readFixture(file), { name, ...fields }, file);
      expect(status, text).toBe(201);
      ids.set(name, json.id);
    }
    ids.set("large", await upload(service, largeCsv()));
    const pages = new Map<string, unknown>();
    const ways = [...ids].flatMap(([name, id]) => ["", "&offset=2"].map((query) => [name, id, query] as const));
    ways.push(["large", ids.get("large")!, `&offset=${rowCount - 50}`], ["large", ids.get("large")!, "&offset=122850"]);
    for (const [name, id] of ids) expect(await typedOf(service, id), name).toBeGreaterThan(0);
    // What is not there can't be what is read.
    await rename(folderOf(service, "dataset"), folderOf(service, "aside"));
    for (const [name, id, query] of ways) pages.set(name + query, await rowsOf(service, id, `?limit=100${query}`));
    await rename(folderOf(service, "aside"), folderOf(service, "dataset"));
    await service.halt();

    const store = await openStore(service);
    const datasets = await store.db.selectFrom("datasets").selectAll().execute();
    await store.stop();
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const query = async (sql: string) => (await (await connection.run(sql)).getRows()) as unknown[][];
    for (const { name, columns, row_count: rows, ...dataset } of datasets) {
      const file = join(folderOf(service, "dataset"), dataset.id);
      const copy = join(folderOf(service, "typed"), dataset.typed_id!);
      const dialect = dialectOf(dataset);
      const copyPath = join(service.dataDir, "plain");
      const ofFile = await loadTable(file, columns, { dialect, copyPath, rowCount: rows });
      expect(await loadTypedCopy(copy, columns, { dialect, rowCount: rows }), name).toEqual(ofFile);
      const plain = await plainCsv(file, dialect.source, { copyPath, query });
      const cells = columns.map((_, index) => `c${index}`).join(", ");
      const typed = typedCsv(plain.path, await readHead(plain.path, dialect), { columns, dialect });
      const typesOf = async (table: string) =>
        (await query(`DESCRIBE SELECT ${cells} FROM ${table}`)).map(([column, type]) => [column, type]);
      expect(await typesOf(typedCopy(copy)), name).toEqual(await typesOf(typed));
    }
    connection.closeSync();

    // Without a worker nobody makes them again.
    await rm(folderOf(service, "typed"), { recursive: true });
    const other = await startService({ on: service, env: { SERVICE_ROLE: "api" } });
    for (const [name, id, query] of ways)
      expect(await rowsOf(other, id, `?limit=100${query}`), name).toEqual(pages.get(name + query));
    expect((await datasetOf(other, ids.get("large")!)).typedBytes).toBeNull();
    await other.stop();
  });

  test("gives the same models as the file", () =>
    withService({}, async (service) => {
      const files = ["euros-behind.csv", "late-text.csv", "empty-rows.csv", "book.xlsx", "pandas-index.csv"];
      for (const file of files) {
        const { json } = await service.upload(readFixture(file), { name: file }, file);
        await typedOf(service, json.id);
        const modelOf = async () => {
          const { json: run } = await service.train(json.id, { mode: "heavy" });
          expect(run.status, JSON.stringify(run.error)).toBe("succeeded");
          return { run, sha256: (await service.call("GET", `/artifacts/${run.artifactId}`)).json.sha256 };
        };
        await rename(folderOf(service, "dataset"), folderOf(service, "aside"));
        const ofCopy = await modelOf();
        await rename(folderOf(service, "aside"), folderOf(service, "dataset"));
        await rm(folderOf(service, "typed"), { recursive: true });
        const ofFile = await modelOf();
        await mkdir(folderOf(service, "typed"), { recursive: true });
        expect(ofCopy.sha256, file).toBe(ofFile.sha256);
        expect(ofCopy.run.columns).toEqual(ofFile.run.columns);
      }
    }));
});
