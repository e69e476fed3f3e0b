import express, { Router } from "express";
import { attachRouteAccessor } from "../../../otel/api/route-template.ts";
import { answerFailed } from "../../../src/monitoring/metrics.ts";

/** Routes that answer in all the ways that make a difference to what is measured. */
export function measuredApplication(): express.Express {
  const app = express();
  app.enable("case sensitive routing");
  attachRouteAccessor(app);
  const router = Router();
  router.get("/items/:id", (_request, response) => void response.json({ ok: true }));
  router.get("/broken/:id", () => {
    throw new Error("broken");
  });
  router.post("/items", (request, response) => {
    request.resume().on("end", () => response.status(201).end("done"));
  });
  router.get("/stream", (_request, response) => {
    response.write("x".repeat(600));
    response.end("y".repeat(400));
  });
  router.get("/endless", (_request, response) => void response.write("x"));
  router.get("/large", (_request, response) => {
    let left = 400;
    const more = (): void => {
      if (left-- > 0) response.write(Buffer.alloc(65_536), more);
      else response.end();
    };
    more();
  });
  router.get("/one-piece", (_request, response) => void response.end(Buffer.alloc(100_000_000)));
  router.get("/twice", (_request, response) => {
    response.on("error", () => {});
    response.end("12345");
    response.end("67890");
    response.write("more");
  });
  router.get("/half", (request, response) => {
    response.write("half");
    answerFailed(request, 0);
    setImmediate(() => response.destroy());
  });
  app.use("/api/v1", router);
  app.use((_error: Error, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(500).json({ code: "INTERNAL" });
  });
  return app;
}
