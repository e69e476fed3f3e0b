import { scoreFold } from "./evaluate-folds.ts";
import { askRows, fitFold, type TrainingFacts } from "./fit-rows.ts";
import { meanOf } from "./fold-metrics.ts";
import { type InnerPlan, planInner } from "./inner-plan.ts";
import type { Leaderboard, StopReason, Trial } from "./leaderboard.ts";
import { type Candidate, drawCandidates } from "./search-space.ts";
import { type TrainParameters, usualSeed } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";

/** How far a search may go, and who hears of it. */
export interface SearchHooks {
  readonly trials: number;
  /** Why it is to stop, asked again and again once a trial has a score; what is being learnt then is passed over. */
  readonly stop: () => Exclude<StopReason, "trials"> | undefined;
  readonly nowMs: () => number;
  readonly onProgress: (fraction: number) => void;
  /** After each trial, with what is known so far. */
  readonly onTrial: (board: Leaderboard) => void;
}

/** What a search has found. */
export interface Found {
  readonly best: Candidate;
  readonly board: Leaderboard;
}

/**
 * Shares of their rounds that drawn candidates are given in turn; the best third of each goes on (successive halving: Jamieson,
 * Talwalkar: Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS 2016).
 */
const shares = [1 / 9, 1 / 3, 1];
const keptShare = 1 / 3;
/** What a light trial takes, in heavy ones with all their rounds: of progress alone. */
const lightWork = 0.1;

/** A candidate, and how it did. */
interface Tried extends Candidate {
  share: number;
  scores: readonly number[];
  ms: number;
  error?: TrainingDataError;
}

/** Breaks off a trial. */
class SearchStopped extends Error {}

/**
 * Compares ways to learn on rows that are learnt from, and on no others.
 * @param facts whose request says no parameter of one mode alone; its mode is not looked at
 * @param places of the target that are learnt from
 * @returns the best so far, however it came to its end; the same for the same request where no clock or caller ended it
 * @throws TrainingDataError where nothing could be learnt in any way
 */
export function searchModels(facts: TrainingFacts, places: Int32Array, hooks: SearchHooks): Found {
  const { task, parameters } = facts.request;
  const plan = planInner(facts, places);
  const candidates = drawCandidates(task, hooks.trials, parameters.seed ?? usualSeed);
  const tried: Tried[] = [];
  const work = progressOf(candidates, hooks.onProgress);
  let stoppedBy: StopReason | undefined;
  const board = (): Leaderboard => describe(tried, { plan, facts, candidates, stoppedBy });
  const hasScore = (): boolean => tried.some(({ scores }) => scores.length > 0);

  /** @returns whether the search goes on */
  const attempt = (one: Tried, share: number): boolean => {
    const goOn = (): void => {
      if (hasScore()) stoppedBy ??= hooks.stop();
      if (stoppedBy !== undefined) throw new SearchStopped();
    };
    const onFraction = (fraction: number): void => {
      goOn();
      work.during(one, share, fraction);
    };
    const startedMs = hooks.nowMs();
    try {
      goOn();
      const scores = scoresOf(withCandidate(facts, atShare(one, share), share), plan, onFraction);
      Object.assign(one, { scores, share });
    } catch (error) {
      if (error instanceof SearchStopped) return false;
      if (!(error instanceof TrainingDataError)) throw error;
      one.error = error;
    }
    one.ms += hooks.nowMs() - startedMs;
    if (!tried.includes(one)) tried.push(one);
    work.done(one, share);
    hooks.onTrial(board());
    return true;
  };

  const all = candidates.map((candidate): Tried => ({ ...candidate, share: 0, scores: [], ms: 0 }));
  const attemptAll = (some: readonly Tried[], share: number): boolean => some.every((one) => attempt(one, share));
  let left = all.filter((one) => !isUsual(one));
  for (const share of attemptAll(all.filter(isUsual), 1) ? shares : []) {
    if (!attemptAll(left, share)) break;
    left = left.filter(({ error }) => error === undefined).sort(byScore);
    left.length = Math.ceil(left.length * keptShare);
  }
  const best = [...tried].sort(byScore)[0]!;
  if (best.scores.length === 0) throw best.error;
  stoppedBy ??= "trials";
  return { best: { mode: best.mode, parameters: atShare(best, best.share).parameters }, board: board() };
}

/** Defaults and light ones are learnt whole at once: what is drawn must beat them. */
const isUsual = ({ mode, parameters }: Candidate): boolean => mode === "light" || parameters.rounds === undefined;

/** With as many of its rounds. */
function atShare({ mode, parameters }: Candidate, share: number): Candidate {
  const { rounds } = parameters;
  return { mode, parameters: rounds === undefined ? parameters : { ...parameters, rounds: Math.ceil(rounds * share) } };
}

/** A threshold would take three more models, and changes no chance; a second fit is for those that may win. */
function withCandidate(facts: TrainingFacts, { mode, parameters }: Candidate, share: number): TrainingFacts {
  const { threshold: _, ...asked } = facts.request.parameters;
  const refit = share < 1 ? { refit: false } : {};
  const all: TrainParameters = { ...asked, ...parameters, ...refit };
  return { ...facts, request: { ...facts.request, mode, parameters: all } };
}

function scoresOf(facts: TrainingFacts, { splits }: InnerPlan, onProgress: (fraction: number) => void): number[] {
  return splits.map(({ kept, heldOut }, at) => {
    const fit = fitFold(facts, kept, (fraction) => onProgress((at + fraction) / splits.length));
    const { metrics } = scoreFold(askRows(facts, fit, heldOut).evaluation, kept.length).measured;
    return metrics[metricOf(facts)]!;
  });
}

const metricOf = ({ request }: TrainingFacts): Leaderboard["metric"] =>
  request.task === "regression" ? "rmse" : "logLoss";

function deviationOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** The smallest loss first; of equals the one that was tried first. */
function byScore(one: Tried, other: Tried): number {
  const [a, b] = [one, other].map(({ scores }) => (scores.length === 0 ? Number.POSITIVE_INFINITY : meanOf(scores)));
  return a === b ? 0 : a! - b!;
}

function describe(
  tried: readonly Tried[],
  known: {
    readonly plan: InnerPlan;
    readonly facts: TrainingFacts;
    readonly candidates: readonly Candidate[];
    readonly stoppedBy: StopReason | undefined;
  },
): Leaderboard {
  const { plan, facts, candidates, stoppedBy = null } = known;
  const trials = [...tried].sort(byScore).map((one, place): Trial => {
    const { scores, ms, error, share } = one;
    return {
      ...atShare(one, share === 0 ? 1 : share),
      score: scores.length === 0 ? null : meanOf(scores),
      deviation: deviationOf(scores),
      share: Number(share.toFixed(4)),
      seconds: Number((ms / 1000).toFixed(3)),
      isBest: place === 0 && scores.length > 0,
      ...(error && { error: error.code }),
    };
  });
  const counts = { trialsDone: tried.length, trialsOf: candidates.length, stoppedBy };
  return { metric: metricOf(facts), validation: plan.report, ...counts, trials };
}

/** Tells how much of the work is done, by what each attempt takes: it never goes back, and a faulty one is work too. */
function progressOf(candidates: readonly Candidate[], onProgress: (fraction: number) => void) {
  const workOf = ({ mode }: Candidate, share: number): number => (mode === "light" ? lightWork : share);
  const usual = candidates.filter(isUsual);
  let count = candidates.length - usual.length;
  let total = usual.reduce((sum, one) => sum + workOf(one, 1), 0);
  for (const share of shares) {
    total += count * share;
    count = Math.ceil(count * keptShare);
  }
  let before = 0;
  const tell = (work: number): void => onProgress(Math.min(1, work / total));
  return {
    during: (one: Candidate, share: number, fraction: number) => tell(before + workOf(one, share) * fraction),
    done(one: Candidate, share: number) {
      before += workOf(one, share);
      tell(before);
    },
  };
}
