import type { Request, Response } from "express";
import { z } from "zod";
import { beginEvents, eventsDescription, wantsEvents } from "../../http/events.ts";
import { checkPhases, createCheckProgress } from "../engines/check-progress.ts";
import type { ServedAsker } from "../engines/engine-pool.ts";

/** Who asks for a check; where the caller wants events, the first thing that the check does begins them. */
export function toldAsker(
  { owner, request, response }: { readonly owner: string; readonly request: Request; readonly response: Response },
  signal: AbortSignal,
): ServedAsker {
  response.vary("Accept");
  if (!wantsEvents(request)) return { owner, signal };
  const progress = createCheckProgress(() => {
    if (!signal.aborted) beginEvents(response, () => progress.now());
  });
  return { owner, signal, progress };
}

const progressSchema = z.object({
  phase: z
    .enum(checkPhases)
    .describe("Fetching a kept file, waiting for its turn, making a plain CSV of the file, reading that, keeping it."),
  elapsedSeconds: z.number(),
  copiedBytes: z.int().optional().describe("While copying: of the plain CSV so far."),
  pass: z
    .int()
    .optional()
    .describe("While reading: which time the file is read, from 1. How often depends on what is found."),
  percentage: z.number().optional().describe("While reading: how much of the file this pass has read."),
});

/** A check's answer by events, for the document. */
export const checkEvents = eventsDescription(progressSchema);
