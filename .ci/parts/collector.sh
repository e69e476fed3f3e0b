#!/usr/bin/env bash
# The configuration of the OpenTelemetry collector, by a collector.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs collector

collector="$(tool_path collector)"
check "collector validate" "$collector" validate --config=infra/monitoring/collector/collector.yml
check "collector validate, with tail sampling" "$collector" validate \
  --config=infra/monitoring/collector/collector.yml --config=infra/monitoring/collector/tail-sampling.yml
complete
