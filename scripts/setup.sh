# Sourced by the other scripts of this folder, which set `root`. Installs the engine into
# $root/.venv, once.
#
# .venv/stamp holds copies of the files that decide what is installed. It is written last: an
# install that failed or was interrupted has none. .venv/unfinished exists while an install runs,
# and after one that failed.

venv=$root/.venv
supported='import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# Installs unless the install is current; $1 is the stamp, $2 its extra, such as `[dev]`.
require_install() {
    is_current "$1" && return 0
    mkdir -p "$venv"
    (
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        take_lock
        trap 'rm -f "$venv/lock"' EXIT
        is_current "$1" || install "$1" "$2"
    ) >&2 # stdout belongs to the command that follows
}

# Whether .venv was installed from the present files, at the present path.
is_current() {
    [ -x "$venv/bin/python" ] && [ -e "$venv/$1/root" ] &&
        cmp -s "$root/pyproject.toml" "$venv/$1/pyproject.toml" &&
        cmp -s "$root/constraints.txt" "$venv/$1/constraints.txt" &&
        read -r installed_root <"$venv/$1/root" &&
        [ "$installed_root" = "$root" ] # a moved .venv would run the code at its old path
}

# The lock is a symbolic link, created atomically; its target is the process id of the holder.
take_lock() {
    notified=
    until ln -s "$$" "$venv/lock" 2>/dev/null; do
        holder=$(readlink "$venv/lock") || continue
        if kill -0 "$holder" 2>/dev/null; then
            [ "$notified" ] || echo "waiting for another install of .venv (process $holder)"
            notified=yes
            sleep 1
        elif mv "$venv/lock" "$venv/lock.$$" 2>/dev/null; then
            # The holder is dead. If another process has taken the lock in between, restore it.
            [ "$(readlink "$venv/lock.$$")" = "$holder" ] || mv "$venv/lock.$$" "$venv/lock"
            rm -f "$venv/lock.$$"
        fi
    done
}

install() {
    log=$venv/install.log
    if can_be_kept >/dev/null 2>&1; then
        echo "bringing .venv up to date (log: $log)"
    else
        python=$(find_python) || exit 1
        find "$venv" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
        echo "installing into .venv with $("$python" --version); once, some minutes (log: $log)"
    fi
    : >"$venv/unfinished"
    rm -rf "$venv/stamp" "$venv/stamp-dev"
    if ! install_packages "$2" 3>&1 >"$log" 2>&1; then
        tail -n 20 "$log"
        echo "the install failed; all of its output is in $log"
        exit 1
    fi
    write_stamp stamp
    [ "$1" = stamp ] || write_stamp "$1"
    rm "$venv/unfinished"
    echo "installed"
}

# Whether there is an environment that only needs other packages. One that was not created by
# this script is used too, if it has pip.
can_be_kept() {
    [ ! -e "$venv/unfinished" ] &&
        { [ ! -e "$venv/stamp/root" ] || [ "$(cat "$venv/stamp/root")" = "$root" ]; } &&
        "$venv/bin/python" -c "$supported" &&
        "$venv/bin/python" -m pip --version
}

# Prints a Python that runs (a pyenv shim may not), has a supported version and can create
# environments (Debian packages that separately).
find_python() {
    for name in python3.11 python3.12 python3.13 python3 python; do
        if "$name" -c "$supported" >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    echo "no Python 3.11, 3.12 or 3.13 that can make a venv; install one," >&2
    echo "for example with: apt install python3.12-venv" >&2
    return 1
}

# Output goes to the log; messages for the user go to file descriptor 3.
install_packages() {
    if [ ! -x "$venv/bin/python" ]; then
        "$python" -m venv "$venv" || return 1
    fi
    echo "  downloading packages" >&3
    cd "$root"
    {
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile \
            --progress-bar off --constraint constraints.txt --editable ".$1" 2>&1 &&
            echo succeeded
    } | while read -r line; do
        echo "$line"
        case $line in
        Downloading*" MB)") echo "  $line" >&3 ;;
        "Installing collected packages"*) echo "  installing packages" >&3 ;;
        esac
    done
    [ "$(tail -n 1 "$log")" = succeeded ] || return 1
    echo "  compiling packages" >&3
    # Compiled explicitly, on every core, even if PYTHONDONTWRITEBYTECODE is set: without bytecode
    # the imports of a run take longer than its training. Some packages contain templates that are
    # not valid Python; they fail to compile, and that is ignored.
    "$venv/bin/python" -m compileall -q -j 0 "$venv/lib" "$root/engine" || :
    # One interval, one path and one book with interest, so that Numba compiles the bootstrap and the
    # fold here and not in the first run.
    "$venv/bin/python" -c "
import numpy as np, pandas as pd
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference import infer_sharpe_ratios
from engine.evaluation.robustness import simulate_path_risk
from engine.simulation import Costs, Execution, simulate
rng = np.random.default_rng(0)
returns = 0.01 * rng.normal(size=100)
infer_sharpe_ratios({'': [returns]}, 252.0, EvaluationSpec(), rng)
simulate_path_risk(pd.DataFrame({'': returns}), 252.0, rng)
bars = pd.DataFrame({'': [1.0, 1.0]}, index=pd.date_range('2000-01-01', periods=2, tz='UTC'))
simulate(bars, bars, bars, costs=Costs(), execution=Execution(), cash_rates=0.01)"
}

write_stamp() {
    mkdir -p "$venv/$1"
    cp "$root/pyproject.toml" "$root/constraints.txt" "$venv/$1/"
    "$venv/bin/python" --version >"$venv/$1/python"
    echo "$root" >"$venv/$1/root"
}
