// Loops, for `from` with a function takes five times as long, and a million rows may be held out.

/** Places of numbers, the least first. */
export function risingOrder(numbers: Float64Array): Int32Array {
  return placesOf(numbers.length).sort((a, b) => numbers[a]! - numbers[b]!);
}

/** 0, 1, 2 and so on. */
export function placesOf(count: number): Int32Array {
  const places = new Int32Array(count);
  for (let place = 0; place < count; place++) places[place] = place;
  return places;
}

/** A number for each of some places, in their order. */
export function numbersAt(places: Int32Array, numberAt: (place: number) => number): Float64Array {
  const numbers = new Float64Array(places.length);
  for (let at = 0; at < places.length; at++) numbers[at] = numberAt(places[at]!);
  return numbers;
}

/** The same of small whole numbers. */
export function bytesAt(places: Int32Array, byteAt: (place: number) => number): Uint8Array {
  const bytes = new Uint8Array(places.length);
  for (let at = 0; at < places.length; at++) bytes[at] = byteAt(places[at]!);
  return bytes;
}
