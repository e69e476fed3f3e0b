/** Pairs of steps and changes of the gradient that stand for the curvature, as many as scikit-learn and SciPy keep. */
const MEMORY = 10;
const MAX_STEPS = 2000;
const MAX_TRIALS = 40;
// Of the conditions of Wolfe, as Nocedal and Wright recommend them for quasi-Newton methods (Numerical Optimization, 3.1).
const SUFFICIENT_DECREASE = 1e-4;
const SUFFICIENT_CURVATURE = 0.9;

/** A loss there; leaves its gradient in an array that is always the same. */
type Loss = (at: Float64Array) => number;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** 1 over their product. */
  readonly rho: number;
}

/**
 * L-BFGS (Nocedal and Wright, algorithm 7.5): a step costs as much as the loss and its gradient, whatever the number of
 * unknowns. Deterministic: the same start gives the same bits.
 * @param at where to start; in the end the minimum
 * @param gradient where `loss` leaves it
 * @param isFlat whether the gradient says that this is the minimum; called at the start and after each step
 * @returns the steps taken
 */
export function minimiseByLbfgs(loss: Loss, at: Float64Array, gradient: Float64Array, isFlat: () => boolean): number {
  const pairs: Pair[] = [];
  let value = loss(at);
  if (isFlat()) return 0;
  for (let taken = 1; taken <= MAX_STEPS; taken++) {
    const direction = directionOf(gradient, pairs);
    const from = { at: at.slice(), gradient: gradient.slice(), value };
    // Nothing is known of the curvature yet: a step of length 1 at most.
    const first = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(direction, direction))) : 1;
    const found = searchAlong(loss, from, direction, first, at, gradient);
    if (found === undefined) {
      at.set(from.at);
      gradient.set(from.gradient);
      // Old pairs may mislead; without them the direction is the gradient's own.
      if (pairs.length === 0) return taken - 1;
      pairs.length = 0;
      continue;
    }
    value = found;
    if (isFlat()) return taken;
    const step = at.map((each, i) => each - from.at[i]!);
    const change = gradient.map((each, i) => each - from.gradient[i]!);
    const product = dot(step, change);
    if (product > Number.EPSILON * dot(change, change)) pairs.push({ step, change, rho: 1 / product });
    if (pairs.length > MEMORY) pairs.shift();
  }
  return MAX_STEPS;
}

/** Downhill: the gradient times what is known of the inverse Hessian, negative. */
function directionOf(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((each) => -each);
  const factors = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, rho } = pairs[i]!;
    factors[i] = rho * dot(step, direction);
    add(direction, change, -factors[i]!);
  }
  const newest = pairs.at(-1);
  if (newest !== undefined) {
    const scale = 1 / (newest.rho * dot(newest.change, newest.change));
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const [i, { step, change, rho }] of pairs.entries())
    add(direction, step, factors[i]! - rho * dot(change, direction));
  return direction;
}

/** Halves between a step that is too short and one that is too long, or doubles, until both conditions of Wolfe hold. */
function searchAlong(
  loss: Loss,
  from: { readonly at: Float64Array; readonly gradient: Float64Array; readonly value: number },
  direction: Float64Array,
  first: number,
  at: Float64Array,
  gradient: Float64Array,
): number | undefined {
  const slope = dot(from.gradient, direction);
  if (!(slope < 0)) return undefined;
  let [short, long, length] = [0, Number.POSITIVE_INFINITY, first];
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    for (let i = 0; i < at.length; i++) at[i] = from.at[i]! + length * direction[i]!;
    const value = loss(at);
    if (!(value <= from.value + SUFFICIENT_DECREASE * length * slope)) long = length;
    else if (dot(gradient, direction) < SUFFICIENT_CURVATURE * slope) short = length;
    else return value;
    length = long === Number.POSITIVE_INFINITY ? 2 * length : (short + long) / 2;
  }
  return undefined;
}

function add(to: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * vector[i]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
