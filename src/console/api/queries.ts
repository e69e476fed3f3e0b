import { QueryClient } from "@tanstack/react-query";
import { mayPass, toFault } from "./fault.ts";

const mostRetries = 4;
const freshMs = 2_000;

/** What is known of the service, by one key. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: freshMs,
        // What was refused would be refused again; what nobody answered may be answered in a moment.
        retry: (failures, thrown) => failures < mostRetries && mayPass(toFault(thrown)),
      },
    },
  });
}
