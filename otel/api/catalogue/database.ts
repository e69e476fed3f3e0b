import type { MetricDefinition } from "./metric-definition.ts";

export const databaseOperationNames = ["SELECT", "INSERT", "UPDATE", "DELETE", "OTHER"] as const;
export const connectionStates = ["idle", "used"] as const;

/** Statements and connections, as OpenTelemetry names them for clients of a database. */
export const databaseMetrics = {
  databaseOperationDuration: {
    name: "db.client.operation.duration",
    kind: "histogram",
    unit: "s",
    description: "Database statements, waiting for a connection not included.",
    attributes: { "db.operation.name": databaseOperationNames },
    bounds: [0.005, 0.025, 0.1, 0.5, 2.5],
    scope: "process",
    fromStart: false,
  },
  databaseConnections: {
    name: "db.client.connection.count",
    kind: "gauge",
    unit: "{connection}",
    description: "Database connections by state.",
    attributes: { "db.client.connection.state": connectionStates },
    scope: "process",
    fromStart: false,
  },
  databaseConnectionsMax: {
    name: "db.client.connection.max",
    kind: "gauge",
    unit: "{connection}",
    description: "Most database connections; 1 for the embedded database.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
  databaseConnectionsPending: {
    name: "db.client.connection.pending_requests",
    kind: "gauge",
    unit: "{request}",
    description: "Statements that wait for a connection.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
} as const satisfies Record<string, MetricDefinition>;
