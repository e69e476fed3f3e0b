import { type ComponentType, lazy, Suspense } from "react";
import { Loading } from "./asked.tsx";

/** A part or page in a file of its own, which is loaded where it is first shown: the first load does without it. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const Loaded = lazy(async () => ({ default: await load() }));
  return function Later(props: Props) {
    return (
      <Suspense fallback={<Loading />}>
        <Loaded {...props} />
      </Suspense>
    );
  };
}
