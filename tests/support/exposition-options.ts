import { defaultLatencyBounds } from "../../otel/api/catalogue/metric-definition.ts";
import type { ExpositionOptions } from "../../otel/exposition/exposition.ts";

/** How tests write an exposition; one that needs another format, role or start says so. */
export const expositionOptions: ExpositionOptions = {
  format: "text",
  prefix: "mlops_backend",
  role: "none",
  latencyBounds: defaultLatencyBounds,
  created: false,
  startedSeconds: 0,
};
