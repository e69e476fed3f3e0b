/** Why a table cannot be trained on; stable, callers branch on it. */
export type TrainingDataErrorCode =
  | "TARGET_NOT_FOUND"
  | "TARGET_SINGLE_CLASS"
  | "NO_USABLE_FEATURES"
  | "TOO_FEW_ROWS"
  | "TOO_MANY_CLASSES"
  | "TOO_MANY_FEATURES"
  | "TARGET_NOT_NUMERIC"
  | "FEATURE_NOT_FOUND"
  | "CLASS_UNKNOWN"
  | "PARAMETER_UNUSABLE"
  | "TARGET_NEGATIVE"
  | "WEIGHT_UNUSABLE"
  | "NUMBERS_OUT_OF_RANGE";

/** The data is at fault, not the system: trying again does not help, the message says what does. */
export class TrainingDataError extends Error {
  readonly code: TrainingDataErrorCode;

  constructor(code: TrainingDataErrorCode, message: string) {
    super(message);
    this.name = "TrainingDataError";
    this.code = code;
  }
}
