import { allowedResource, readResource } from "../resource.ts";
import type { Variable } from "./variable.ts";

const noConfigFile =
  "this service is configured by variables alone; what the file says is not read, and variables are, though it is set";

/** Variables of all signals, and those that choose what is detected or said. */
export const generalVariables = {
  OTEL_SDK_DISABLED: {
    section: "OpenTelemetry",
    value: "false",
    about: "true: no OpenTelemetry at all, /metrics answers 404.",
    leavesOut: (value) => (/^(true|false)$/i.test(value) ? undefined : "only true switches it off"),
  },
  OTEL_SERVICE_NAME: {
    section: "OpenTelemetry",
    value: "mlops-backend",
    about: "service.name of what is sent; /metrics is without it, as Prometheus has job and instance.",
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    section: "OpenTelemetry",
    value: "deployment.environment.name=production",
    about: `Resource attributes, key=value pairs with commas between them: ${allowedResource.join(", ")} (or deployment.environment, as it was called). Others are left out, and named at the start.`,
    leavesOut: (_value, { env }) => {
      const { leftOut } = readResource(env);
      return leftOut.length === 0 ? undefined : `without ${leftOut.join(", ")}, which stays in this process`;
    },
  },
  OTEL_ENTITIES: {
    section: "OpenTelemetry",
    needs: "nothing",
    about: "there are no entities; OTEL_RESOURCE_ATTRIBUTES has attributes",
  },
  OTEL_LOG_LEVEL: {
    section: "OpenTelemetry",
    needs: "nothing",
    about: "what telemetry says of itself is its errors and warnings, on stderr; LOG_LEVEL is for the log",
  },
  OTEL_CONFIG_FILE: { section: "OpenTelemetry", needs: "nothing", about: noConfigFile },
  OTEL_EXPERIMENTAL_CONFIG_FILE: { section: "OpenTelemetry", needs: "nothing", about: noConfigFile },
  OTEL_SEMCONV_STABILITY_OPT_IN: {
    section: "OpenTelemetry",
    needs: "nothing",
    about: "names are those of the stable conventions, and no others",
  },
  OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: {
    section: "OpenTelemetry",
    needs: "nothing",
    about: "exceptions are events of spans, and lines of the log",
  },
  OTEL_NODE_RESOURCE_DETECTORS: {
    section: "OpenTelemetry",
    about: "none. Nothing is detected: host, command line and owner of the process stay in it.",
    leavesOut: (value) =>
      value.trim() === "none" ? undefined : "nothing is detected, only OTEL_RESOURCE_ATTRIBUTES is read",
  },
  OTEL_NODE_EXPERIMENTAL_SDK_METRICS: {
    section: "OpenTelemetry",
    needs: "nothing",
    about:
      "metrics are those of the catalogue; mlops_backend_telemetry_export_dropped_total has what could not be sent",
  },
} as const satisfies Record<string, Variable>;
