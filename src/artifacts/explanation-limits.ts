import { DomainError } from "../errors.ts";
import { isExplainable } from "../models/contributions.ts";
import { explanationWork } from "../models/explain-rows.ts";
import type { ModelDocument } from "../models/model.ts";

/** What the explanations of one request may take, of CPU and of the answer. */
const mostSeconds = 20;
const mostMebibytes = 32;

/**
 * Refuses explanations before they are made.
 * @throws DomainError EXPLANATION_UNAVAILABLE where the model lacks what they need, PREDICTION_TOO_LARGE with the number of
 * rows that can be explained at once
 */
export function requireExplainable(document: ModelDocument, rows: number): void {
  if (!isExplainable(document))
    throw new DomainError(
      "EXPLANATION_UNAVAILABLE",
      "The model's file has no means of its features, which light models have since trainers 1.2.0. Train it again, or predict without `explain`.",
    );
  const { onceNs, rowNs, rowBytes } = explanationWork(document);
  const byTime = Math.floor((mostSeconds * 1e9 - onceNs) / Math.max(1, rowNs));
  const bySize = Math.floor((mostMebibytes * 1024 * 1024) / rowBytes);
  const most = Math.min(byTime, bySize);
  if (rows <= most) return;
  const why =
    byTime < bySize
      ? `would take longer than ${mostSeconds} s`
      : `would be more than ${mostMebibytes} MiB of ${document.features.length} columns each`;
  const instead =
    most > 0
      ? `Send ${most} at most at once`
      : "Download the model (`/content?format=xgboost`) and ask XGBoost for `pred_contribs`";
  throw new DomainError("PREDICTION_TOO_LARGE", `Explanations of ${rows} rows ${why}. ${instead}.`);
}
