#!/bin/sh
# Prints how many tests the last build ran, and every skipped one with its reason. Called at the end of mvn verify.
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
log=native/target/cmake/Testing/Temporary/LastTest.log
if [ -f "$log" ]; then
  echo "native: $(grep -c '^Test Passed' "$log") test programs passed, $(grep -c '^Test Failed' "$log") failed"
else
  echo "native: no tests ran (GoogleTest missing, or a prebuilt library)"
fi
for module in bindings engine losses cli bench; do
  cat /dev/null "$module"/target/surefire-reports/TEST-*.xml 2>/dev/null | awk -v module="$module" '
    /<testcase / { ran++; name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
                   class = $0; sub(/.*classname="/, "", class); sub(/".*/, "", class); sub(/.*\./, "", class) }
    /<failure|<error/ { failed++ }
    /<skipped/ { skipped++; reason = $0
                 gsub(/.*<skipped[^>]*>(<!\[CDATA\[)?(org\.opentest4j\.TestAbortedException: )?(Assumption failed: )?/, "", reason)
                 sub(/\]\]>.*/, "", reason); if (reason == "") reason = "see the report"
                 lines = lines "  skipped " class "." name ": " reason "\n" }
    END { printf "%s: %d tests passed, %d failed, %d skipped\n%s", module, ran - failed - skipped, failed, skipped, lines }'
done
