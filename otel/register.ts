import { leaveTelemetryHandle, silentTelemetry } from "./api/telemetry.ts";
import { readTelemetrySettings } from "./settings/telemetry-settings.ts";

const { settings, faults } = readTelemetrySettings(process.env);
if (faults.length > 0) {
  // src/main.ts reports these together with every other fault of the environment, and exits 2.
  leaveTelemetryHandle(silentTelemetry("faulty"));
} else if (!settings.enabled) {
  leaveTelemetryHandle(silentTelemetry("disabled"));
} else {
  // Imported only now: with telemetry off nothing of the SDK is loaded.
  const { startTelemetry } = await import("./sdk.ts");
  leaveTelemetryHandle(await startTelemetry(settings, process.env));
}
