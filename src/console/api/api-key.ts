import { useSyncExternalStore } from "react";

/**
 * The key that requests are sent with. It is kept for this tab alone and until it is closed, and is in no address: the key of
 * somebody who has left must not wait for the next person.
 */
const storedAs = "api-key";

/** What is known of the key: whether one is asked for, and whether the last one was refused. */
export interface KeyState {
  readonly key: string | undefined;
  readonly isAskedFor: boolean;
  readonly wasRefused: boolean;
}

const listeners = new Set<() => void>();
let state: KeyState = { key: sessionStorage.getItem(storedAs) ?? undefined, isAskedFor: false, wasRefused: false };

function become(next: KeyState): void {
  state = next;
  if (next.key === undefined) sessionStorage.removeItem(storedAs);
  else sessionStorage.setItem(storedAs, next.key);
  for (const listener of listeners) listener();
}

/** What a header can hold: anything else, as of another keyboard's letters, is no key of any service. */
const sendable = /^[\x21-\x7e]+$/;

/** Takes a key that somebody typed. */
export function takeKey(key: string): void {
  if (sendable.test(key)) become({ key, isAskedFor: false, wasRefused: false });
  else become({ key: undefined, isAskedFor: true, wasRefused: true });
}

/** Forgets the key; the service will ask for one again. */
export function forgetKey(): void {
  become({ key: undefined, isAskedFor: true, wasRefused: false });
}

/** To be told of a 401: a key is needed, or the one that `sentKey` was is none. */
export function keyWasRefused(sentKey: string | undefined): void {
  // An answer to a request from before the key was changed says nothing of the new one.
  if (sentKey !== state.key) return;
  become({ key: undefined, isAskedFor: true, wasRefused: sentKey !== undefined });
}

/** The key of now, for a request. */
export const currentKey = (): string | undefined => state.key;

/** Headers that tell who asks; none without a key. */
export const keyHeaders = (key = state.key): Record<string, string> =>
  key === undefined ? {} : { Authorization: `Bearer ${key}` };

/** The state of the key, for what shows it. */
export function useKeyState(): KeyState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
