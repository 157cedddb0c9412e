# shellcheck shell=bash
# Steps, their counts and the closing line. Sourced by tests/run, which sets $logs.

passed=0
failed=0
skipped=0
failures=()

# skip WHY: says loudly what was not tried.
skip() {
    skipped=$((skipped + 1))
    printf '\nSKIPPED: %s\n\n' "$1"
}

# step NAME COMMAND…: runs it without standard input, shows and keeps its output, adds up what it counted. Never stops the run.
step() {
    local name=$1 log began=$SECONDS status=0
    shift
    log=$logs/${name//[^A-Za-z0-9]/-}.log
    printf '\n=== %s\n' "$name"
    { "$@" </dev/null 2>&1 | tee "$log"; } || status=$?
    add_counts "$name" "$log" "$status"
    printf -- '--- %s: %s, %s s\n' "$name" "$([[ $status == 0 ]] && echo ok || echo "FAILED ($status)")" "$((SECONDS - began))"
}

# add_counts NAME LOG STATUS: a test runner's own figures if it printed any, else the step itself is one test.
add_counts() {
    local name=$1 log=$2 status=$3 good bad left closed
    read -r good bad left closed < <(counts "$log")
    if ((closed == 0)); then # no test runner spoke
        if [[ $status == 0 ]]; then good=1; else bad=1; fi
    elif [[ $status != 0 ]] && ((bad == 0)); then
        bad=1 # it failed outside its tests: did not build, or fell over at the end
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    if [[ $status != 0 ]] || ((bad > 0)); then failures+=("$name: $log"); fi
}

# counts LOG: "passed failed skipped closing-lines", summed over the closing lines of the runners that the log has, and its SKIPPED lines.
counts() {
    awk '
        function number(before) { return match($0, "[0-9]+ " before) ? substr($0, RSTART, RLENGTH) + 0 : 0 }
        /^test result: / { closed++; good += number("passed"); bad += number("failed"); left += number("ignored") }
        /^ *Summary \[/ { closed++; good += number("passed"); bad += number("failed") + number("timed out"); left += number("skipped") }
        /^=+ .*(passed|failed|error|skipped).* in [0-9.]+s/ { closed++; good += number("passed"); bad += number("failed") + number("error"); left += number("skipped") }
        /^[0-9]+ passed, [0-9]+ failed/ { closed++; good += number("passed"); bad += number("failed"); left += number("skipped") }
        /^(#|ℹ) pass [0-9]+$/ { closed++; good += $3 }
        /^(#|ℹ) fail [0-9]+$/ { bad += $3 }
        /^(#|ℹ) skipped [0-9]+$/ { left += $3 }
        /^SKIPPED: / { left++ }
        END { print good + 0, bad + 0, left + 0, closed + 0 }
    ' "$1"
}

# finish: names what failed, prints the closing line, ends with the verdict.
finish() {
    if ((failed > 0)); then
        printf '\nFailed:\n'
        printf '  %s\n' "${failures[@]}"
    fi
    printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0 && passed > 0)) || exit 1
}
