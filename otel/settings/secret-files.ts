import { readFileSync } from "node:fs";

/** A value that a file was to give, or that it did not. */
export type SecretFromFile = { readonly text: string } | "unusable";

/**
 * Reads the settings whose value stands in a file: `NAME_FILE` names it, and its content without white space at the ends
 * is the value. Orchestrators mount secrets as files; an environment can be read by more people than they.
 * @returns by NAME; faults name the setting, never the content
 */
export function readSecretFiles(
  env: NodeJS.ProcessEnv,
  names: readonly string[],
): { fromFiles: ReadonlyMap<string, SecretFromFile>; faults: string[] } {
  const fromFiles = new Map<string, SecretFromFile>();
  const faults: string[] = [];
  for (const name of names) {
    const path = env[`${name}_FILE`] ?? "";
    if (path === "") continue;
    const fault = (text: string): void => {
      fromFiles.set(name, "unusable");
      faults.push(`${name}_FILE ${text}`);
    };
    if ((env[name] ?? "") !== "") {
      fault(`and ${name} are both set: keep one of them`);
      continue;
    }
    try {
      const text = readFileSync(path, "utf8").trim();
      // An empty one would mean «no secret», and nobody mounts a file to say that.
      if (text === "") fault("names an empty file");
      else fromFiles.set(name, { text });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      fault(`names a file that can't be read (${code})`);
    }
  }
  return { fromFiles, faults };
}
