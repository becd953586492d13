#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard in the core of a kernel: a guest whose disk is suspended, with a task in the
# middle of a read, says what the guard says, and then QEMU writes its memory to a file.
# tools/drgn must find the same in there.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

READER=$TOP/tools/drgn/eb-owners.py

list() { printf '%s\t%s\n' core-owners "drgn finds in a core the owners and the buffers that the guard told of"; }

prepare() { kernel core; }

# view NAME: that of the core, as drgn reads it.
view()
{
	drgn -q -c "$LOG/core" -s "$vmlinux" "$READER" "$1" >"$LOG/$1.raw" 2>"$LOG/$1.err" ||
		{ cat "$LOG/$1.err"; fail "drgn could not read $1 in the core"; }
}

# What the guest has said of it.
said() { tr -d '\r' <"$LOG/verdict.log" | sed -n "s/^core_$1 //p"; }

# in_order: words of a list, and lines, in one order, without what goes on.
in_order()
{
	sed 's/ oldest_ms=[0-9]*$//' | awk '
		function ordered(text, by,   n, i, k, t, word) {
			n = split(text, word, by)
			for (i = 1; i < n; i++) for (k = i + 1; k <= n; k++) if (word[k] < word[i]) {
				t = word[i]; word[i] = word[k]; word[k] = t
			}
			text = word[1]
			for (i = 2; i <= n; i++) text = text "," word[i]
			return text
		}
		{
			for (f = 1; f <= NF; f++) {
				if ($f ~ /^owners=/) $f = "owners=" ordered(substr($f, 8), ",")
				if ($f ~ /^flags=/) $f = "flags=" ordered(substr($f, 7), "|")
			}
			print
		}' | sort
}

# same NAME: the view is what the guest has said.
same()
{
	view "$1"
	in_order <"$LOG/$1.raw" >"$LOG/$1"
	said "$1" | in_order >"$LOG/$1.said"
	[ -s "$LOG/$1.said" ] || fail "the guest has said nothing of $1"
	diff "$LOG/$1.said" "$LOG/$1" >"$LOG/$1.diff" || { head -n 10 "$LOG/$1.diff"; fail "$1: not what the guest has said"; }
}

# ages: of owners, in ms, as said and a moment later.
ages()
{
	said owners | sed -n 's/^\(.*\) oldest_ms=/\1|/p' | sort -t '|' -k 1,1 >"$LOG/ages.said"
	sed -n 's/^\(.*\) oldest_ms=/\1|/p' "$LOG/owners.raw" | sort -t '|' -k 1,1 | join -t '|' "$LOG/ages.said" - |
		awk -F '|' -v lines="$(wc -l <"$LOG/ages.said")" '
			$3 < $2 || $3 > $2 + 20000 { print; bad = 1 }
			END { exit bad || !NR || NR != lines }' ||
		fail "these ages are not later than what the guest has said by less than 20 s"
}

owners()
{
	have drgn || fail "drgn is missing; tools/deps test-all installs it"
	boot "$LOG" core core core="$LOG/core"
	trap 'rm -f "$LOG/core"' EXIT
	[ "$(status_of "$LOG")" -eq 0 ] || { tail -n 5 "$LOG/boot.err"; fail "no core was taken"; }
	# shellcheck disable=SC2154  # boot() has set it
	vmlinux=${image%/arch/*}/vmlinux
	same owners
	same buffers
	ages
	tasks=$(grep -cE ' kind=(new|lookup|walk|path|readahead) ' "$LOG/owners") || fail "no task holds anything"
	! drgn -q -c "$LOG/core" "$READER" >"$LOG/none" 2>&1 || fail "it reads a core without symbols"
	grep -q '^eb-owners: ' "$LOG/none" || fail "without symbols it does not say what is wrong"
	! drgn -q -c "$LOG/core" -s "$vmlinux" "$READER" owner >"$LOG/none" 2>&1 || fail "it takes any word"
	grep -q '^eb-owners: usage: ' "$LOG/none" || fail "it does not say how it is used"
	pass "$(wc -l <"$LOG/owners") owners, $tasks of them tasks, and $(wc -l <"$LOG/buffers") buffers, as the guest has said"
}

case_main list owners prepare "$@"
