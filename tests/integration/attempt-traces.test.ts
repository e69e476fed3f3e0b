import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { startService } from "../support/service.ts";

test("a retry after a killed worker shows both attempts: the second is linked to the first, both to the request", async () => {
  await using receiver = await OtlpReceiver.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50" };
  const killed = await startService({ env });
  const dataset = await killed.upload(noiseCsv());
  const submitted = await killed.call("POST", "/training-runs", { datasetId: dataset.json.id, ...endless });
  const runId = submitted.json.id;
  const loadedBy = (attempt: number) =>
    receiver.until((spans) =>
      spans.find(
        ({ name, attributes }) =>
          name === "training load" &&
          attributes["mlops.training.run.id"] === runId &&
          attributes["mlops.training.attempt"] === attempt,
      ),
    );
  // The attempt's own span would be sent at its end, which a killed process has not.
  const first = await loadedBy(1);
  await killed.kill("SIGKILL");

  const service = await startService({ env, on: killed });
  try {
    const second = await loadedBy(2);
    expect(second.traceId).not.toBe(first.traceId);
    await service.call("POST", `/training-runs/${runId}/cancel`);
    const attempt = await receiver.until((spans) =>
      spans.find(({ name, traceId }) => name === "training attempt" && traceId === second.traceId),
    );
    expect(attempt.attributes["mlops.training.attempt"]).toBe(2);
    expect(attempt.links.map(({ traceId }) => traceId)).toEqual([first.traceId]);
    const process = await receiver.until((spans) =>
      spans.find(({ name, traceId }) => name === "process training" && traceId === second.traceId),
    );
    expect(process.links.map(({ traceId }) => traceId)).toEqual([submitted.headers.get("x-trace-id")]);
  } finally {
    await service.stop();
  }
}, 180_000);
