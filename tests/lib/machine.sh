# shellcheck shell=bash
# Debian packages that the tests need. Sourced by tests/run.

# needs COMMAND PACKAGE…: remembers the packages if the command is not there.
needs() {
    local command=$1
    shift
    command -v "$command" >/dev/null 2>&1 || missing+=("$@")
}

# Installs what is missing, and nothing when nothing is.
install_packages() {
    missing=()
    needs ffprobe ffmpeg
    needs chromium chromium
    needs chromedriver chromium-driver
    needs node nodejs
    needs npm npm
    needs python3 python3
    needs turnserver coturn
    postgres_programs >/dev/null || missing+=(postgresql)
    if command -v python3 >/dev/null && ! python3 -c 'import ensurepip' 2>/dev/null; then missing+=(python3-venv); fi
    if ! /usr/bin/python3 -c "import gi; gi.require_version('GstWebRTC', '1.0'); gi.require_version('GstApp', '1.0')" 2>/dev/null; then
        missing+=(python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0)
    fi
    gst-inspect-1.0 webrtcbin >/dev/null 2>&1 && gst-inspect-1.0 nicesrc >/dev/null 2>&1 && gst-inspect-1.0 vp8enc >/dev/null 2>&1 ||
        missing+=(gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice)
    ((${#missing[@]} > 0)) || return 0

    local become=()
    if [[ $(id -u) != 0 ]]; then become=(sudo -n); fi
    if ! command -v apt-get >/dev/null || ! "${become[@]}" true 2>/dev/null; then
        skip "cannot install: ${missing[*]} (apt-get as root is needed); what needs them will fail or be skipped"
        return 0
    fi
    echo "installing: ${missing[*]}"
    local install=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}")
    # Package lists may be old or absent; they are fetched only when that is so.
    "${install[@]}" </dev/null >"$logs/apt.log" 2>&1 || {
        "${become[@]}" apt-get update -qq </dev/null >>"$logs/apt.log" 2>&1
        "${install[@]}" </dev/null >>"$logs/apt.log" 2>&1
    } || {
        tail -n 20 "$logs/apt.log"
        skip "apt-get could not install: ${missing[*]}"
    }
}
