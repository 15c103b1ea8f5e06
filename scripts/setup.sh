# Sourced by scripts/build and scripts/test: puts uv on PATH and the locked packages into .venv.
# Needs Python 3.11 or newer and nothing else; a missing uv goes into .uv/ of this checkout.

uv_version=0.13.9

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.11 or newer on PATH: install one, then run this again." >&2
    return 1
}

bootstrap_uv() {
    local python
    python=$(find_python)
    echo "uv is not on PATH: installing uv $uv_version into .uv/ of this checkout."
    rm -rf .uv
    # Debian's Python comes without ensurepip unless python3-venv is installed; pip alone does as well.
    if "$python" -m venv .uv >/dev/null 2>&1; then
        .uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        rm -rf .uv
        "$python" -m pip install --quiet --disable-pip-version-check --target .uv "uv==$uv_version"
    else
        rm -rf .uv
        echo "$python has neither venv nor pip: install python3-venv (Debian, Ubuntu) or uv, then run this again." >&2
        return 1
    fi
}

# What tests need beside Python; they fail with a message, never skip, where it is missing.
ensure_chromium() {
    [ -n "${CHROMIUM:-}" ] || ensure_package chromium "or name one in CHROMIUM; tests of the report fail without" \
        chromium google-chrome
}

ensure_java() {
    [ -n "${JAVA_HOME:-}" ] || ensure_package openjdk-17-jre-headless "or point JAVA_HOME at one; Spark cannot run without" \
        java
}

ensure_package() { # Debian's package, what else to do, commands of which one is enough
    local package=$1 otherwise=$2 candidate
    shift 2
    for candidate in "$@"; do
        if command -v "$candidate" >/dev/null 2>&1; then
            return
        fi
    done
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Missing $1: installing Debian's package $package."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
            "$package" >/dev/null
    else
        echo "Missing $1: apt-get install $package, $otherwise." >&2
    fi
}

if ! command -v uv >/dev/null 2>&1; then
    if ! .uv/bin/uv --version >/dev/null 2>&1; then
        bootstrap_uv
    fi
    PATH="$PWD/.uv/bin:$PATH"
    export PATH
fi

# A virtual environment active in the calling shell is another project's.
unset VIRTUAL_ENV
# Where compiled Python is not kept, each process compiles dbt and Great Expectations anew, for seconds.
unset PYTHONDONTWRITEBYTECODE

uv sync --frozen --quiet --inexact
