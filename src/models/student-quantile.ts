/** The quantile 0.975 of the normal distribution. */
const normal = 1.959963984540054;
/** Student's of 1 to 4 degrees of freedom, where the series below is no good. */
const ofFew = [12.7062047362, 4.3026527297, 3.1824463053, 2.7764451052];

/**
 * The quantile 0.975 of Student's distribution, within which 95 of 100 lie: by Abramowitz and Stegun 26.7.5, off by 3e-4 at
 * most.
 * @param freedom degrees of it, from 1
 */
export function studentQuantile(freedom: number): number {
  const known = ofFew[freedom - 1];
  if (known !== undefined) return known;
  const z = normal;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const fourth = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3 + fourth / freedom ** 4;
}
