/**
 * TraceQL of dashboards. Tempo's search has no order: it gives the newest that match, so what is slow is asked for by a
 * bound, and the table sorts what comes.
 */
const ofService = 'resource.service.name = "$service"';
const isRequest = 'kind = server && span.http.route !~ ".*/events"';
const isAttempt = 'name = "training attempt"';

const search = (...conditions: readonly string[]): string =>
  `{ ${[ofService, ...conditions].join(" && ")} } with (most_recent=true)`;

export const traceQueries = {
  slowRequests: search(isRequest, "duration > $slower"),
  failedRequests: search(isRequest, "status = error"),
  slowTrainings: search(isAttempt, "duration > $slower"),
  failedTrainings: search(isAttempt, "status = error"),
} as const;
