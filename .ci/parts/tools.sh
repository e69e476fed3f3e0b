#!/usr/bin/env bash
# Everything that is built from source (.ci/tools.sh) is there, or is built now.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

is_there() { have_tool "$1" || build_tool "$1"; }
for tool in "${all_tools[@]}"; do check "$(tool_title "$tool")" is_there "$tool"; done
complete
