import { DomainError } from "../../src/errors.ts";

/** The fault of ours that work ends with. Any other is thrown on, and an end without one is a fault of the test. */
export async function faultOf(work: () => unknown): Promise<DomainError> {
  let value: unknown;
  try {
    value = await work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error(`It was taken: ${JSON.stringify(value)}`);
}
