import type { TrainingFacts } from "./fit-rows.ts";
import type { Leaderboard } from "./leaderboard.ts";
import { type Found, type SearchHooks, searchModels } from "./search-models.ts";
import type { Candidate } from "./search-space.ts";
import { learntPlaces, planOf, readFacts, type TrainedModel, trainPlanned } from "./train-model.ts";
import type { TrainRequest } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";

const usualTrials = 20;

/** How long a run may search, and who hears of it. */
export interface AutoHooks {
  readonly nowMs: () => number;
  /** Of all searches together, where the request says nothing. */
  readonly usualSeconds: number;
  /** Whether somebody wants the best so far, and no more. */
  readonly isEndWanted: () => boolean;
  readonly onProgress: (fraction: number) => void;
  /** After each trial of the run's own search. */
  readonly onTrial: (board: Leaderboard) => void;
  readonly onFitted: () => void;
}

/** The best model that a search has found, and what else it tried. */
export interface FoundModel extends TrainedModel {
  readonly leaderboard: Leaderboard;
}

/** Of the way: by far the most of it. */
const shareOfSearch = 0.8;
const ignore = (): void => {};

/**
 * Looks for the best way to learn, among those of both modes, and trains and measures a model by it as a run of that mode would.
 * It is chosen by rows that are learnt from alone. By folds, where the model learns from all rows, each fold has a search of
 * its own, which does not see it: what is measured is the search and what comes of it.
 * @throws TrainingDataError
 */
export function trainAuto(request: Omit<TrainRequest, "mode">, hooks: AutoHooks): FoundModel {
  const { nowMs, isEndWanted, onProgress } = hooks;
  const { maxTrials: trials = usualTrials, maxSeconds = hooks.usualSeconds, ...parameters } = request.parameters;
  const facts = readFacts({ ...request, parameters, mode: "heavy" });
  const plan = planOf(facts, "auto");
  const searches = "split" in plan ? 1 : 1 + plan.foldCount * plan.repeats;
  const endMs = nowMs() + maxSeconds * 1000;
  let searchesLeft = searches;
  const search = (places: Int32Array, told: Pick<SearchHooks, "onProgress" | "onTrial">): Found => {
    const startedMs = nowMs();
    // All have the same time: a fold that had less would be measured by a worse search than the run's.
    const stopMs = startedMs + (endMs - startedMs) / searchesLeft;
    searchesLeft -= 1;
    const stop = () => (isEndWanted() ? "cancel" : nowMs() >= stopMs ? "seconds" : undefined);
    return searchModels(facts, places, { trials, nowMs, stop, ...told });
  };
  const withBest = (some: TrainingFacts, { mode, parameters: best }: Candidate): TrainingFacts => ({
    ...some,
    request: { ...some.request, mode, parameters: { ...some.request.parameters, ...best } },
  });

  const ownShare = shareOfSearch / searches;
  const own = search(learntPlaces(facts, plan), {
    onProgress: (fraction) => onProgress(fraction * ownShare),
    onTrial: hooks.onTrial,
  });
  let foldsSearched = 0;
  let brokenOffBy: Leaderboard["stoppedBy"] | undefined;
  const factsOfFold = (ofFold: TrainingFacts, kept: Int32Array): TrainingFacts => {
    // Whoever wants the end now does not want a search for each fold.
    if (isEndWanted()) {
      brokenOffBy = "cancel";
      return ofFold;
    }
    try {
      const { best, board } = search(kept, { onProgress: ignore, onTrial: ignore });
      // A search that had less time than the run's says nothing of how good that is.
      if (board.stoppedBy !== "trials" && own.board.stoppedBy === "trials") {
        brokenOffBy = board.stoppedBy;
        return ofFold;
      }
      foldsSearched += 1;
      const { positiveClass } = ofFold.request.parameters;
      return withBest(facts, { ...best, parameters: { ...best.parameters, positiveClass } });
    } catch (error) {
      if (error instanceof TrainingDataError) return ofFold;
      throw error;
    }
  };
  const { document, ...trained } = trainPlanned(withBest(facts, own.best), plan, {
    onProgress: (fraction) => onProgress(ownShare + fraction * (1 - ownShare)),
    onFitted: hooks.onFitted,
    factsOfFold,
  });
  const stoppedBy = brokenOffBy ?? own.board.stoppedBy;
  const leaderboard = { ...own.board, stoppedBy, ...(searches > 1 && { foldsSearched }) };
  return { ...trained, document, leaderboard };
}
