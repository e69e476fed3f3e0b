import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { folder, program, run, settings, useScriptFolder, written } from "./script-folder.ts";

useScriptFolder();

/** Packs the word, reads it back where `readsBack`, and says what it was asked for. Nothing is running unless `running` is there. */
beforeEach(async () => {
  await program(
    "bin/docker",
    `printf "docker %s\\n" "$*" >&2
    case "$*" in
      *" ps "*) cat running 2>/dev/null || true ;;
      *backup-data*) [ ! -e no-pack ] && printf archive ;;
      *restore-data*) [ ! -e no-read ] && grep -q archive ;;
    esac`,
  );
  await settings("API_KEYS=me:abc\n");
});
const running = () => writeFile(join(folder, "running"), "prometheus\nbackend\n");
const commandsOf = (lines: string[]): string[] =>
  lines
    .filter((line) => line.startsWith("docker compose ") && !/ version| ps /.test(line))
    .map((line) => line.slice("docker compose ".length));
const node = "run --rm --no-deps -T backend node src/commands/";
const pack = `${node}backup-data.ts --to -`;
const check = `${node}restore-data.ts --check --from -`;

describe("backup", () => {
  test("stops the backend, packs, starts it, reads the archive back, and only then gives it its name", async () => {
    await running();
    const { code, lines } = await run("backup", "mine.tar.gz");
    expect([code, commandsOf(lines)]).toEqual([0, ["stop backend", pack, "start backend", check]]);
    expect(await written("mine.tar.gz")).toBe("archive");
    expect((await stat(join(folder, "mine.tar.gz"))).mode & 0o077).toBe(0);
    const again = await run("backup", "mine.tar.gz");
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining("is there already") });
  });

  test("names the archive by the time, and starts nothing that did not run", async () => {
    const { lines } = await run("backup", "--with-gaps");
    expect(commandsOf(lines)).toEqual([pack, `${check} --with-gaps`]);
    expect(await readdir(folder)).toContainEqual(expect.stringMatching(/^backup-20[\d-]+\.tar\.gz$/));
  });

  test.each([
    ["no-pack", ["stop backend", pack, "start backend"]],
    ["no-read", ["stop backend", pack, "start backend", check]],
  ])("with %s leaves nothing behind, and the backend runs again", async (fault, commands) => {
    await running();
    await writeFile(join(folder, fault), "");
    const { code, lines } = await run("backup", "mine.tar.gz");
    expect([code, commandsOf(lines)]).toEqual([1, commands]);
    expect((await readdir(folder)).filter((name) => name.startsWith("mine"))).toEqual([]);
  });
});

describe("restore", () => {
  test("hands the archive over while the backend is stopped, and starts it again, also when it was refused", async () => {
    await running();
    await writeFile(join(folder, "mine.tar.gz"), "archive");
    const restore = `${node}restore-data.ts --from - --with-gaps`;
    for (const expected of [0, 1]) {
      const { code, lines } = await run("restore", "mine.tar.gz", "--with-gaps");
      expect([code, commandsOf(lines)]).toEqual([expected, ["stop backend", restore, "start backend"]]);
      await writeFile(join(folder, "no-read"), "");
    }
  });

  test("wants a file that can be read", async () => {
    for (const options of [[], ["nowhere.tar.gz"]]) {
      const { code, lines } = await run("restore", ...options);
      expect([code, commandsOf(lines)]).toEqual([1, []]);
    }
  });
});

test.each(["backup", "restore"])("%s leaves PostgreSQL to its own tools", async (command) => {
  await settings("DATABASE_URL=postgres://db/mlops\n");
  const { code, lines, output } = await run(command, "mine.tar.gz");
  expect([code, commandsOf(lines)]).toEqual([1, []]);
  expect(output).toContain("DATABASE_URL is set");
});
