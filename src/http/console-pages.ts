import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Express, Request, Response } from "express";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { pathOf, relativeAddress } from "./relative-address.ts";

/** Where the console is built to, as seen from the root of the repository; see src/console/build.ts. */
export const consoleFolder = join(import.meta.dirname, "../../.cache/console");

/** The pages that have an address of their own. Which of them is shown, the script in the one document decides. */
const pagePaths = ["/datasets", "/datasets/:id", "/runs", "/runs/:id", "/models", "/models/:id", "/state"];

/**
 * Scripts and styles from files of ours alone, and no text that becomes markup. Stricter than the policy of the API's page,
 * for which Swagger UI needs style attributes.
 */
const policy = [
  "default-src 'none'",
  "base-uri 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** How a built file can be sent, besides as it is; the best first. */
const encodings = { br: ".br", gzip: ".gz" } as const;

/** A console that has been built. */
export interface ConsolePages {
  /** The document, with `{{base}}` where the way to the service's root stands. */
  readonly document: string;
  /** Names of all its files, compressed ones included. */
  readonly files: ReadonlySet<string>;
}

/** Reads what was built. @returns undefined where nothing was, or it can't be read: `onFault` hears why, and the service does without */
export function readConsole(onFault: (error: unknown) => void, folder = consoleFolder): ConsolePages | undefined {
  try {
    return {
      document: readFileSync(join(folder, "index.html"), "utf8"),
      files: new Set(readdirSync(join(folder, "assets"))),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") onFault(error);
    return undefined;
  }
}

/** Sends the console's document; its addresses are seen from the service's root, also behind a prefix. */
export function sendConsole(request: Request, response: Response, { document }: ConsolePages): void {
  response.setHeader("Content-Security-Policy", policy);
  // It names the files of one build.
  response.setHeader("Cache-Control", "no-cache");
  response.type("html").send(document.replace("{{base}}", relativeAddress(pathOf(request), "/")));
}

/** Mounts the pages but `/`, and their files: one route label for all pages, and one for all files. */
export function mountConsole(app: Express, pages: ConsolePages, folder = consoleFolder): void {
  app.get(["/", ...pagePaths], (request, response) => sendConsole(request, response, pages));
  app.all(pagePaths, methodNotAllowed(["get"]));
  app.get("/assets/:file", (request, response, next) => {
    const { file } = request.params;
    // A list, not the disk: no name leads anywhere else.
    if (!pages.files.has(file)) return next();
    response.vary("Accept-Encoding");
    const accepted = request.acceptsEncodings(Object.keys(encodings)) as keyof typeof encodings | false;
    const packed = accepted === false ? file : `${file}${encodings[accepted]}`;
    const isPacked = accepted !== false && pages.files.has(packed);
    if (isPacked) response.setHeader("Content-Encoding", accepted);
    response.type(file.slice(file.lastIndexOf(".")));
    // Its name has the hash of what is in it.
    const options = { root: join(folder, "assets"), immutable: true, maxAge: "1y" } as const;
    response.sendFile(isPacked ? packed : file, options, (error?: Error) => {
      if (error === undefined || response.headersSent) return;
      // Built anew since the start: who loads the page again is told other names after the next one.
      for (const name of ["Content-Encoding", "Cache-Control"]) response.removeHeader(name);
      next();
    });
  });
}
