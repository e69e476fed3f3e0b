/**
 * Matches whole cells of a form by its pattern. Each expression is made once: that costs as much as a hundred matches.
 * @param keyOf tells forms with different patterns apart
 */
export function matchersOf<Form>(
  patternOf: (form: Form) => string,
  keyOf: (form: Form) => string,
): (form: Form) => RegExp {
  const matchers = new Map<string, RegExp>();
  return (form) => {
    const key = keyOf(form);
    let matcher = matchers.get(key);
    if (matcher === undefined) {
      matcher = new RegExp(`^${patternOf(form)}$`);
      matchers.set(key, matcher);
    }
    return matcher;
  };
}
