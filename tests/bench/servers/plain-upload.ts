/** The peer of the upload: multer to disk on Express, nothing checked, hashed, flushed or recorded. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import multer from "multer";

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "plain-"));
const app = express();
app.post("/upload", multer({ dest: folder }).single("file"), (request, response) => {
  response.status(201).json({ sizeBytes: request.file?.size });
});
app.get("/probe", (_request, response) => {
  response.json({ status: "ok" });
});
const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: "ready", url: `http://127.0.0.1:${port}` })}\n`);
});
