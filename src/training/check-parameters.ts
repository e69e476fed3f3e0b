import { DomainError } from "../errors.ts";
import type { TrainParameters } from "../models/train-request.ts";
import { columnOf, groupColumnOf, isByFolds } from "../models/validation.ts";
import { isOfMoments } from "../tables/column-type.ts";
import type { RunRequest, TrainableDataset, TrainingTask } from "./submit-run.ts";

/** A parameter that would do nothing, or not what it promises. */
interface Fault {
  readonly name: keyof TrainParameters;
  readonly why: string;
}

type Asked = Pick<RunRequest, "mode" | "features" | "parameters">;
type Known = Pick<TrainableDataset, "columns" | "said"> & {
  readonly target: string;
  readonly task: TrainingTask;
  readonly timeoutSeconds: number;
};

/** Those before 1.3.0 are passed over in the mode light, as they ever were. */
const ofHeavy = [
  "alpha",
  "gamma",
  "subsample",
  "colsampleByTree",
  "maxBins",
  "scalePosWeight",
  "earlyStopping",
  "objective",
  "quantileAlpha",
  "monotoneConstraints",
] as const;
const ofLight = ["classWeight"] as const;
const ofAuto = ["maxTrials", "maxSeconds"] as const;
/** What a search tries itself, or only one of both modes has. */
const searched = [
  ...(["rounds", "maxDepth", "learningRate", "earlyStoppingRounds", "minChildWeight", "lambda", "ridge"] as const),
  ...ofHeavy,
  ...ofLight,
] as const;
const ofClasses = ["classWeight", "scalePosWeight", "positiveClass", "threshold"] as const;
const ofNumbers = ["objective", "quantileAlpha"] as const;
const mostTold = 20;

/**
 * What is sent and would do nothing is told.
 * @throws DomainError PARAMETER_UNUSABLE
 */
export function requireUsableParameters(asked: Asked, known: Known): void {
  const faults = [...faultsOfMode(asked, known), ...faultsOfColumns(asked, known)];
  const [first] = faults;
  if (first === undefined) return;
  throw new DomainError("PARAMETER_UNUSABLE", `\`${first.name}\` ${first.why}. Leave it out.`, {
    fields: faults.slice(0, mostTold).map(({ name, why }) => ({ path: `parameters.${name}`, message: why })),
  });
}

function faultsOfMode({ mode, parameters = {} }: Asked, { task, timeoutSeconds }: Known): Fault[] {
  const { objective, quantileAlpha, monotoneConstraints, maxSeconds } = parameters;
  const sent = (names: readonly (keyof TrainParameters)[], why: string): Fault[] =>
    names.filter((name) => parameters[name] !== undefined).map((name) => ({ name, why }));
  const ofMode = {
    light: () => [
      ...sent(ofHeavy, "is for models of the mode heavy, and this one is light"),
      ...sent(ofAuto, "is for the mode auto, and this one is light"),
    ],
    heavy: () => [
      ...sent(ofLight, "is for models of the mode light, and this one is heavy"),
      ...sent(ofAuto, "is for the mode auto, and this one is heavy"),
    ],
    auto: () => sent(searched, "is for a model of one mode, and the mode auto tries both, with parameters of its own"),
  }[mode]();
  if (ofMode.length > 0) return ofMode;
  if (maxSeconds !== undefined && maxSeconds >= timeoutSeconds)
    return sent(["maxSeconds"], `is no less than the ${timeoutSeconds} s after which every training is ended`);
  const ofTask =
    task === "regression"
      ? sent(ofClasses, "is for classes, and this is a regression")
      : sent(ofNumbers, "is for regressions, and this is a classification");
  if (ofTask.length > 0) return ofTask;
  if (parameters.earlyStopping === "folds" && parameters.refit === false)
    return sent(["refit"], "can't be false where folds say when to stop: the model learns from all rows then");
  if (mode === "light" && parameters.refit === false && isByFolds(parameters.validation))
    return sent(
      ["refit"],
      "can't be false where each row is measured on once: a light model learns from all rows then",
    );
  if (parameters.earlyStopping === "none" && parameters.earlyStoppingRounds !== undefined)
    return sent(["earlyStoppingRounds"], "says when to stop, and no stop is asked for");
  if (quantileAlpha !== undefined && objective !== "reg:quantileerror")
    return sent(["quantileAlpha"], "is for the objective reg:quantileerror, and that is not asked for");
  const movesLeaves = objective === "reg:absoluteerror" || objective === "reg:quantileerror";
  if (monotoneConstraints !== undefined && movesLeaves)
    return sent(["monotoneConstraints"], `can't be kept by the objective ${objective}, which sets leaves afterwards`);
  return [];
}

function faultsOfColumns({ features, parameters = {} }: Asked, { columns, said, target }: Known): Fault[] {
  const { weight, validation, monotoneConstraints = {} } = parameters;
  const typeOf = (name: string) => columns.find((column) => column.name === name)?.type;
  const quoted = (name: string): string => `"${name.slice(0, 80).toWellFormed()}"`;
  const leftOut = new Set(said?.leftOut);
  const faults: Fault[] = [];
  const ofWeight = (): string | undefined => {
    if (weight === undefined) return undefined;
    if (weight === target) return `names ${quoted(weight)}, which is the target`;
    if (typeOf(weight) !== "number") return `names ${quoted(weight)}, which is no column of numbers of the dataset`;
    return features?.includes(weight) ? `names ${quoted(weight)}, which is one of the \`features\`` : undefined;
  };
  const ofValidation = (): string | undefined => {
    const name = columnOf(validation);
    if (name === undefined) return undefined;
    const type = typeOf(name);
    if (type === undefined) return `names ${quoted(name)}, which is no column of the dataset`;
    if (name === target) return `names ${quoted(name)}, which is the target`;
    if (validation?.kind !== "time" || isOfMoments(type) || type === "number") return undefined;
    return `is by time, and ${quoted(name)} is ${type === "text" ? "text" : "a boolean"}, not a column of dates, times or numbers`;
  };
  const ofConstraint = (name: string): string | undefined => {
    const type = typeOf(name);
    if (name === target) return "which is the target";
    if (type === undefined) return "which is no column of the dataset";
    if (type === "text") return "which is text and has no order";
    if (name === weight) return "which is the column of weights";
    const isAside = leftOut.has(name) || name === groupColumnOf(validation);
    const isFeature = features === undefined ? !isAside : features.includes(name);
    return isFeature ? undefined : "which nothing is learnt from";
  };
  const told = { weight: ofWeight(), validation: ofValidation() };
  for (const name of ["weight", "validation"] as const) {
    const why = told[name];
    if (why !== undefined) faults.push({ name, why });
  }
  for (const name of Object.keys(monotoneConstraints)) {
    const fault = ofConstraint(name);
    if (fault !== undefined) faults.push({ name: "monotoneConstraints", why: `names ${quoted(name)}, ${fault}` });
  }
  return faults;
}
