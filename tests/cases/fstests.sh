#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# `make fstests`: what it refuses, how it reads what fstests says, and whole runs; most of them
# of a small tree that behaves as fstests does, the last one of the user's, if FSTESTS names one.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What is run of the user's fstests: some seconds each, and of device-mapper as well.
REAL='btrfs/001 btrfs/010 btrfs/056 generic/001 generic/013 generic/034 generic/068'

list()
{
	printf '%s\n' \
		'fstests-errors	what can not be run is refused with words that say what to do' \
		'fstests-lines	results, figures and reports of each test are read from what fstests and the guest say'
	# Each of these takes kernels of its own.
	[ "$BASE" = 7.x ] || return 0
	printf '%s\n' \
		'fstests-fake	a tree like fstests passes, fails, is not run and is left out, with the figures of each test' \
		'fstests-baseline	what fails without the guard as well is told apart' \
		'fstests-hang	a test that hangs is named, and so is one in which the guest dies' \
		"fstests-mutant	a mistake in btrfs fails a test in fstests' own words" \
		'fstests-real	the user'\''s fstests, if FSTESTS names it: a few tests pass without a report'
}

machine=um

prepare()
{
	for name; do
		case $name in
		fstests-fake | fstests-hang | fstests-real) kernel guard+fstests $machine ;;
		fstests-baseline) kernel guard+fstests $machine && kernel off+fstests $machine ;;
		fstests-mutant) kernel mutants+fstests $machine ;;
		esac
	done
}

# --- a tree like fstests ------------------------------------------------------

# fake_test NAME: a test of that tree, from stdin.
fake_test()
{
	mkdir -p "$tree/tests/$(dirname "$1")"
	cat >"$tree/tests/$1"
	chmod +x "$tree/tests/$1"
}

# fake_check: says what fstests' check says, to whom it says it.
fake_check()
{
	cat >"$tree/check" <<'END'
#!/bin/bash
words=()
for word; do
	case $word in
	-g) ;;
	quick) words+=($(cd tests && ls -d */[0-9][0-9][0-9])) ;;
	-*) echo "Usage: check [options] [testlist]"; exit 1 ;;
	*) words+=("$word") ;;
	esac
done
[ ${#words[@]} -gt 0 ] || { echo "Group is empty or not defined?"; exit 1; }
. "$HOST_OPTIONS"
echo "FSTYP         -- $FSTYP"
mount "$TEST_DEV" "$TEST_DIR" || exit 1
mkdir -p "$RESULT_BASE"
for seqnum in "${words[@]}"; do
	printf '%-12s' "$seqnum"
	[ -e "tests/$seqnum" ] || { echo " - no such test?"; continue; }
	[ "$seqnum" != generic/009 ] || { echo "       [expunged]"; continue; }
	printf ' 5s ... '
	"$(type -P logger)" "run xfstest $seqnum"
	echo "run fstests $seqnum at $(date +'%F %T')" >/dev/kmsg
	mkdir -p "$RESULT_BASE/${seqnum%/*}"
	res=$RESULT_BASE/$seqnum
	"tests/$seqnum" "$res" >"$res.out" 2>&1 </dev/null
	case $? in
	0) ;;
	77) echo "[not run] $(cat "$res.out")"; continue ;;
	*) echo "- output mismatch (see $res.out.bad)"; mv "$res.out" "$res.out.bad"
		sed 's/^/    /' "$res.out.bad"; bad+=("$seqnum"); continue ;;
	esac
	if dmesg | sed -n "\#run fstests $seqnum#,\$p" | grep -q WARNING:; then
		echo "_check_dmesg: something found in dmesg (see $res.dmesg)"
		dmesg >"$res.dmesg"
		bad+=("$seqnum")
		echo
		continue
	fi
	echo " 1s"
done
echo "Ran: ${words[*]}"
[ ${#bad[@]} -gt 0 ] || { echo "Passed all tests"; exit 0; }
echo "Failures: ${bad[*]}"
exit 1
END
	chmod +x "$tree/check"
}

# fake_tree: makes it, in the log directory.
fake_tree()
{
	tree=$LOG/fstests
	mkdir -p "$tree/common" "$tree/ltp" "$tree/src" "$tree/tests/btrfs" "$tree/tests/generic"
	: >"$tree/common/rc"
	for file in ltp/fsstress ltp/fsx src/lstat64; do
		echo '#!/bin/sh' >"$tree/$file"
		chmod +x "$tree/$file"
	done
	: >"$tree/tests/btrfs/group.list"
	: >"$tree/tests/generic/group.list"
	fake_check
	# Of the pool, of the log device, and as a user of fstests.
	fake_test btrfs/001 <<'END'
#!/bin/bash
set -e
mkfs.btrfs -q -f $SCRATCH_DEV_POOL
set -- $SCRATCH_DEV_POOL
mount $1 $SCRATCH_MNT
for i in {1..300}; do mkdir $SCRATCH_MNT/$i; done
umount $SCRATCH_MNT
mount $1 $SCRATCH_MNT
ls $SCRATCH_MNT | wc -l | grep -q 300
umount $SCRATCH_MNT
su fsgqa -s /bin/sh -c 'id -un' | grep -q fsgqa
dd if=/dev/zero of=$LOGWRITES_DEV bs=4k count=1 conv=fsync status=none
END
	fake_test btrfs/002 <<'END'
#!/bin/sh
echo "nothing is like this"
exit 1
END
	fake_test generic/001 <<'END'
#!/bin/sh
echo "this guest has no such device"
exit 77
END
	# A disk of device-mapper that fails its writes; and nothing of the host can be written.
	fake_test generic/002 <<'END'
#!/bin/bash
set -e
set -- $SCRATCH_DEV_POOL
size=$(blockdev --getsz $1)
dmsetup create error-test --table "0 $size error"
[ -b /dev/mapper/error-test ]
! dd if=/dev/zero of=/dev/mapper/error-test bs=4k count=1 conv=fsync status=none 2>/dev/null
dmsetup remove error-test
for dir in /usr . ; do ! touch $dir/eb-test 2>/dev/null; done
for dir in /tmp /etc /var/tmp; do touch $dir/eb-test; done
END
	fake_test generic/009 </dev/null
}

# run_fake STATUS [OPTION]...: tools/fstests on it; what it prints is in "out".
run_fake()
{
	want=$1
	shift
	# The results of a user stay where they are.
	code=0
	FSTESTS=$tree EBDEBUG_FSTESTS_LOG=$LOG/run "$TOP/tools/fstests" "$@" >"$LOG/out" 2>&1 || code=$?
	cat "$LOG/out"
	[ "$code" = "$want" ] || fail "the status is $code, expected $want: tools/fstests $*"
}

# says PATTERN...: each is in what was printed.
says()
{
	for words; do
		grep -qE -- "$words" "$LOG/out" || fail "no word of '$words'"
	done
}

# says_not PATTERN.
says_not() { ! grep -qE -- "$1" "$LOG/out" || fail "'$1' is said"; }

# need_fstests_host: ends the test where there is no way to boot this.
need_fstests_host()
{
	[ "$(uname -m)" = x86_64 ] || skip 'fstests runs on x86-64 only'
	lacks=$("$TOP/tools/deps" --check fstests 2>&1 | sed -n 's/^    \([^ ]*\) .*/\1/p' | tr '\n' ' ')
	[ -z "$lacks" ] || skip "packages are missing: $lacks(tools/deps fstests installs them)"
}

# --- the tests ----------------------------------------------------------------

# refused WORDS [ARGUMENT]...: tools/fstests refuses with an error that has these words.
refused()
{
	words=$1
	shift
	code=0
	EBDEBUG_FSTESTS_LOG=$LOG/run "$TOP/tools/fstests" "$@" >"$LOG/out" 2>&1 || code=$?
	[ "$code" = 1 ] || { cat "$LOG/out"; fail "the status is $code, expected 1: $words"; }
	grep -qF -- "$words" "$LOG/out" || { cat "$LOG/out"; fail "no word of '$words'"; }
	grep -qE '^(fstests|fstests-boot|deps): error: ' "$LOG/out" || { cat "$LOG/out"; fail "it is no error"; }
	cases=$((cases + 1))
}

errors()
{
	cases=0
	fake_tree
	FSTESTS='' refused 'FSTESTS is not set'
	FSTESTS='' refused 'make fstests FSTESTS=/path/to/built/fstests'
	FSTESTS=$LOG/nowhere refused 'is not a directory'
	FSTESTS=$LOG refused 'is no fstests: there is no check'
	mkdir -p "$LOG/a blank"
	FSTESTS="$LOG/a blank" refused 'has a blank'
	mv "$tree/ltp/fsstress" "$LOG/fsstress"
	FSTESTS=$tree refused 'is not built: there is no ltp/fsstress'
	mv "$LOG/fsstress" "$tree/ltp/fsstress"
	FSTESTS=$tree refused 'usage: ' --no-such-option
	FSTESTS=$tree refused 'options of fstests' -g quick
	FSTESTS=$tree refused "there is no mutant 'no_such_mutant'" --mutant no_such_mutant
	FSTESTS=$tree refused 'wants a name' --mutant
	FSTESTS=$tree ROUNDS=many refused 'ROUNDS=many is not a number'
	FSTESTS=$tree refused 'memory=3 is not for this' memory=3
	FSTESTS=$tree refused 'smp=two is not a number' smp=two
	FSTESTS=$tree refused 'pool=0' pool=0
	FSTESTS=$tree refused 'smp=0' smp=0
	FSTESTS=$tree refused 'limit=0' limit=0
	FSTESTS=$tree refused 'mem=1' mem=1
	FSTESTS=$tree BASELINE=maybe refused 'BASELINE=maybe is neither'
	# Nothing is installed before it is known that this machine and kernel can do it.
	commands_without df apt-get fio
	printf '#!/bin/sh\necho header\necho "none 100 90 10 90%% /"\n' >"$LOG/bin/df"
	chmod +x "$LOG/bin/df"
	[ "$(uname -m)" != x86_64 ] || FSTESTS=$tree PATH=$LOG/bin BASE=7.x refused 'too little disk space'
	FSTESTS=$tree PATH=$LOG/bin BASE=5.10 refused "can't have the host's files"
	need_fstests_host
	commands_without fio apt-get
	FSTESTS=$tree PATH=$LOG/bin refused 'fio'
	pass "$cases errors with words"
}

# lines: read from files; the times and figures are in the marks.
lines()
{
	cat >"$LOG/check.out" <<'END'
FSTYP         -- btrfs

btrfs/001         3s ...  2s
btrfs/002        [not run] this test requires a valid $SCRATCH_DEV
btrfs/003        [expunged]
btrfs/004       _check_dmesg: something found in dmesg (see /mnt/share/results/btrfs/004.dmesg)

btrfs/001         3s ... - output mismatch (see /mnt/share/results/btrfs/001.out.bad)
    --- tests/btrfs/001.out
    btrfs/005 is no line of a test
generic/001     [failed, exit status 1]- output mismatch (see /x)
generic/002      1s
Ran: btrfs/001
END
	printf '[    0.1] %s\r\n' 'run fstests btrfs/001 at 2022-12-12 00:00:00' 'run fstests btrfs/004 at 2022-12-12 00:00:02' \
		'BTRFS eb_debug: IO submitted without the tree_ref dance in read_extent_buffer_pages' \
		'BTRFS eb_debug: rule=io_without_dance start=1' 'run fstests btrfs/001 at 2022-12-12 00:00:03' >"$LOG/console.log"
	n=0
	for name in btrfs/001 btrfs/002 btrfs/004 btrfs/001 generic/001 generic/002 end; do
		n=$((n + 1))
		printf '%s\n' "mark $name $((n * n)).25" "reads: $((n * 10))" "writes: $n" "puts: 7" "release_done: 1" \
			"judged_a: $((n * 3))" "judged_b: $((n * 4))" "reports: $((n > 3))" 'end of mark'
	done >"$LOG/marks"
	cat >"$LOG/expected" <<'END'
btrfs/001|pass|3.0|10|1|0|0|7|0|
btrfs/002|notrun|5.0|10|1|0|0|7|0|this test requires a valid $SCRATCH_DEV
btrfs/004|fail|7.0|10|1|0|0|7|1|_check_dmesg: something found in dmesg; REPORT: io_without_dance in read_extent_buffer_pages
btrfs/001|fail|9.0|10|1|0|0|7|0|- output mismatch
generic/001|fail|11.0|10|1|0|0|7|0|[failed, exit status 1]- output mismatch
generic/002|pass|13.0|10|1|0|0|7|0|
END
	read_lines
	# A guest that died in the fourth test, in the middle of a mark, without a guard.
	sed -i '/^[a-z_]*: /d' "$LOG/marks"
	awk '/^mark/ { n++ } n == 4 && /^end/ { exit } { print }' "$LOG/marks" >"$LOG/marks.cut"
	mv "$LOG/marks.cut" "$LOG/marks"
	sed -i '3,$d;s/|[0-9]*|[0-9]*|[0-9]*|[0-9]*|[0-9]*|[0-9]*|/|&/;s/\(|[0-9.]*\)||.*|\([^|]*\)$/\1|-|-|-|-|-|-|\2/' "$LOG/expected"
	read_lines
	pass 'two runs are read as they are'
}

# read_lines: the files there, as "expected" says.
read_lines()
{
	awk -v said="$LOG/check.out" -v console="$LOG/console.log" -f "$TOP/tools/fstests.awk" "$LOG/marks" |
		tr '\t' '|' >"$LOG/is"
	diff "$LOG/expected" "$LOG/is" || fail "it is read otherwise"
}

fake()
{
	need_fstests_host
	fake_tree
	(cd "$tree" && find . -type f | sort | xargs cksum) >"$LOG/before"
	ARGS='-g quick' run_fake 1
	says '^btrfs/001 +pass .*[1-9][0-9]* reads .*0 reports$' '^btrfs/002 +fail .* - output mismatch$' \
		'^generic/001 +notrun .*this guest has no such device$' '^generic/002 +pass ' \
		'^guard-1: 4 tests, 2 passed, 1 failed, 1 not run$' '; 0 reports$' '^Failed .BASELINE=y'
	says_not 'generic/009'
	(cd "$tree" && find . -type f | sort | xargs cksum) | cmp -s - "$LOG/before" || fail "the tree of the user was written to"
	grep -q 'nothing is like this' "$LOG/run/guard-1/results/btrfs/002.out.bad" || fail "the results are not on the host"
	judged=$(sed -n 's/^guard-1: judged/judged/p' "$LOG/out")
	for args in --no-such-option nothing/123; do
		ARGS=$args run_fake 1
		says 'check ran no test; it says:' 'Did not come to the end: guard-1'
	done
	pass "4 tests and one left out, $judged"
}

# baseline: btrfs/002 fails without the guard as well, btrfs/003 only with it.
baseline()
{
	need_fstests_host
	fake_tree
	fake_test btrfs/003 <<'END'
#!/bin/sh
[ ! -e /sys/kernel/debug/btrfs_eb_debug ]
END
	ARGS='btrfs/001 btrfs/002' run_fake 0 --baseline
	says 'No test fails with the guard that passes without' '^CPU time of the whole guest, guard / no guard: [0-9.]* '
	ARGS='-g quick' run_fake 1 --baseline
	sed -n '/^Fails only with the guard/,/^[^ ]/p' "$LOG/out" | grep -q '^  btrfs/003 ' || fail 'btrfs/003 is not told'
	sed -n '/^Fails with the guard and without/,/^ /p' "$LOG/out" | grep -q '^  btrfs/002 ' || fail 'btrfs/002 is not told'
	pass "$(sed -n 's/^Time of the/time of the/p' "$LOG/out")"
}

hang()
{
	need_fstests_host
	fake_tree
	fake_test generic/007 <<'END'
#!/bin/sh
sleep 100000
END
	fake_test generic/008 <<'END'
#!/bin/sh
echo c >/proc/sysrq-trigger
END
	limit=60
	ARGS='btrfs/001 generic/007' run_fake 1 limit=$limit
	says '^btrfs/001 +pass' "generic/007 hung: no end within $limit s" '^Did not come to the end: guard-1'
	ARGS='btrfs/001 generic/008' run_fake 1 limit=$((limit * 10))
	says '^btrfs/001 +pass' 'the kernel panicked in generic/008'
	pass 'both named, with what passed before them'
}

mutant()
{
	need_fstests_host
	fake_tree
	ARGS='btrfs/001 btrfs/002' run_fake 1 --mutant read_dance
	says "^btrfs/001 +fail .*something found in dmesg; REPORT: io_without_dance in $(culprit read_dance)"
	[ -s "$LOG/run/guard-1/results/btrfs/001.dmesg" ] || fail "there is no .dmesg"
	pass "$(sed -n 's/^btrfs\/001 .*\(_check_dmesg\)/\1/p' "$LOG/out" | head -n 1)"
}

real()
{
	[ -n "${FSTESTS:-}" ] || skip 'FSTESTS names no fstests'
	need_fstests_host
	tree=$FSTESTS
	ARGS=$REAL run_fake 0 limit=1500
	says '; 0 reports$'
	[ "$(grep -cE '^(btrfs|generic)/[0-9]+ +pass ' "$LOG/out")" -ge 5 ] || fail "fewer than 5 tests passed"
	pass "$(sed -n 's/^guard-1: judged/judged/p' "$LOG/out")"
}

run()
{
	case $1 in
	fstests-errors) errors ;;
	fstests-lines) lines ;;
	fstests-fake) fake ;;
	fstests-baseline) baseline ;;
	fstests-hang) hang ;;
	fstests-mutant) mutant ;;
	fstests-real) real ;;
	*) die "no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
