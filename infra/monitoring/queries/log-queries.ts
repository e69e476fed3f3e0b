/**
 * LogQL of dashboards. Only the service and its environment are labels in Loki, and the line is the message alone: what
 * else was said stands beside it (structured metadata), and is written behind the message where people read.
 */
const ofService = '{service_name="$service"}';
const isUnwell = 'detected_level=~"warn|error|fatal"';
/** As a request's line is read. */
const asRequest =
  "line_format `{{.method}} {{.route}} {{.status}} {{.durationSeconds}} s{{if .error_type}} {{.error_type}}{{end}}{{if .code}} {{.code}}{{end}}`";
/** As any other is. */
const asMessage =
  "line_format `{{__line__}}{{if .route}} {{.method}} {{.route}} {{.status}}{{end}}{{if .code}} {{.code}}{{end}}{{if .run_id}} run {{.run_id}}{{end}}{{if .exception_message}}: {{.exception_message}}{{end}}`";

const count = (lines: string, by = ""): string => `sum${by} (count_over_time(${lines} [$__auto]))`;

export const logQueries = {
  lineCount: count(ofService),
  warningCount: count(`${ofService} | detected_level="warn"`),
  errorCount: count(`${ofService} | detected_level=~"error|fatal"`),
  linesByLevel: count(ofService, " by (detected_level)"),
  codes: count(`${ofService} | code!=""`, " by (code)"),
  topCodes: `topk(10, ${count(`${ofService} | code!=""`, " by (code)")})`,
  unwell: `${ofService} | ${isUnwell} | ${asMessage}`,
  /** What was written of the run, trace or request whose id was given. */
  ofId: `${ofService} | run_id="$id" or trace_id="$id" or request_id="$id" | ${asMessage}`,
  failedRequests: `${ofService} | status >= 500 or error_type!="" | route !~ ".*/events" | ${asRequest}`,
  slowRequests: `${ofService} | durationSeconds > 0.5 | route !~ ".*/events" | ${asRequest}`,
  runs: `${ofService} | run_id!="" | ${asMessage}`,
  unwellRuns: `${ofService} | run_id!="" | ${isUnwell} | ${asMessage}`,
} as const;
