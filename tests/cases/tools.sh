#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The trace events in the programs of a distribution: each recipe of the page is run in a
# guest that has them, word for word as it stands there, and what it prints is compared
# with what the guard has counted.
#
# shellcheck disable=SC2016  # awk, and what the guest expands
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

PAGE=${PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-trace.rst}
EVENTS=$TOP/include/trace/events/btrfs_eb.h

list()
{
	printf '%s\t%s\n' \
		tools-perf "perf lists, counts, records, prints and follows the events; counts are the guard's" \
		tools-trace-cmd "trace-cmd records and prints them, in a form that eb-trace replays" \
		tools-tracefs "filters, histograms by kind and function, stacks: as the page says" \
		tools-violation "the trace is frozen, or a snapshot taken, at a broken rule" \
		tools-bpftrace "bpftrace, and tools/bpf: what they count is what the guard counts" \
		tools-follow "eb-trace follow counts what the guard counts, and leaves nothing behind" \
		tools-numbers "numbers and names in tools/bpf are those of the kernel" \
		tools-recipes "each recipe of the page is run by one of these tests" \
		tools-image "no space, no mirror: the image is not made, and why is said"
}

prepare()
{
	for name; do
		case $name in
		tools-numbers | tools-recipes | tools-image) ;;
		*) "$TOP/tools/image" && kernel tools; return ;;
		esac
	done
}

# Which test runs which recipes of the page.
PERF='perf-list perf-stat perf-record perf-trace'
TRACE_CMD='trace-cmd'
TRACEFS='tracefs filter hist stack'
VIOLATION='freeze snapshot'
BPF='bpftrace bt-tree-ref bt-tree-ref-one bt-read-latency bt-repairs bt-outstanding'

# --- the guest ----------------------------------------------------------------

# recipe NAME: the commands that stand behind ".. recipe: NAME" in the page.
recipe()
{
	awk -v name="$1" '
		$0 == ".. recipe: " name { on = 1; next }
		on == 1 && /::$/ { on = 2; next }
		on == 2 && /^[^ \t]/ { exit }
		on == 2 { sub(/^    /, ""); text = text $0 "\n"; if (NF) all = text }
		END { printf "%s", all; exit all == "" }' "$PAGE"
}

# beginning: what each script begins with.  "work" is what the recipes look at: metadata
# that is made, written, reclaimed, read and removed.
beginning()
{
	cat <<'END'
PATH=/guest/bin:$PATH
guard=/sys/kernel/debug/btrfs_eb_debug
tracing=/sys/kernel/tracing
mutant=/sys/module/btrfs/parameters/eb_mutant
mkdir -p /guest/bin
cat >/guest/bin/work <<'WORK'
#!/bin/sh
set -e
mount -o noatime /dev/vda /guest/mnt
mkdir /guest/mnt/dir
for i in $(seq 200); do echo $i >/guest/mnt/dir/a-file-with-a-name-of-some-length-$i; done
btrfs filesystem sync /guest/mnt
umount /guest/mnt
mount -o noatime /dev/vda /guest/mnt
ls -lR /guest/mnt >/dev/null
rm /guest/mnt/dir/*-1*
btrfs filesystem sync /guest/mnt
echo 3 >/proc/sys/vm/drop_caches
echo 1G >/sys/fs/cgroup/workload/memory.reclaim 2>/dev/null || :
rm -r /guest/mnt/dir
umount /guest/mnt
WORK
# This kernel has no BTF, and its headers are not here: those of the C library do.
cat >/guest/types.h <<'TYPES'
#include <linux/types.h>
typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;
TYPES
cat >/guest/bin/bpftrace <<'BPFTRACE'
#!/bin/sh
exec /usr/bin/bpftrace -I /usr/include -I /usr/include/x86_64-linux-gnu --include /guest/types.h "$@"
BPFTRACE
chmod +x /guest/bin/*

part() { echo; echo "@@ $*"; }

# What the guard has counted since.
counted()
{
	mawk -F ': ' 'FNR == NR { was[$1] = $2; next } { print $1, $2 - was[$1] }' /guest/before $guard/stats
}

# Nothing of one recipe stays for the next.
tidy()
{
	for event in $tracing/events/btrfs/btrfs_eb_*; do
		sed -n '/^#/d;s/:unlimited.*//;s/:count=.*//;s/ \[.*//;p' $event/trigger | while read -r trigger; do
			echo "!$trigger" >$event/trigger
		done
		echo 0 >$event/enable
		echo 0 >$event/filter
	done
	echo 0 >$tracing/snapshot
	echo 1 >$tracing/tracing_on
	echo >$tracing/trace
}
END
}

# step NAME [PART]: a recipe, what it prints, how it ends, and what the guard counted
# meanwhile.
step()
{
	commands=$(recipe "$1") || fail "the page has no recipe '$1'"
	cat <<END
part ${2:-$1}
cat \$guard/stats >/guest/before
status=0
( cd /guest
$commands
) || status=\$?
part ${2:-$1}-counted
counted
echo "status \$status"
END
}

# scripts: tools/bpf, for the guest.
scripts()
{
	echo "mkdir -p /guest/tools/bpf"
	for file in "$TOP"/tools/bpf/*.bt; do
		echo "cat >/guest/tools/bpf/$(basename "$file") <<'END_OF_FILE'"
		cat "$file"
		echo END_OF_FILE
	done
}

# in_guest: runs the script on our stdin; what it prints is in $LOG/output.txt.
in_guest()
{
	"$TOP/tools/image" >"$LOG/image" 2>"$LOG/image.err" ||
		skip "$(sed -n 's/^image: error: //p' "$LOG/image.err" | head -n 1)"
	{ beginning; cat; } >"$LOG/script"
	boot "$LOG" tools tools script="$LOG/script" mem=1024 timeout=400
	judge_ended "$LOG" || { tail -n 30 "$LOG/output.txt"; exit 1; }
}

# part NAME: what that part of the script has printed.
part() { awk -v name="$1" '/^@@ / { on = $2 == name; next } on' "$LOG/output.txt"; }

# counted NAME COUNTER: how far the guard has counted during that recipe.
counted() { part "$1-counted" | awk -v name="$2" '$1 == name { print $2; found = 1 } END { exit !found }'; }

# ended NAMES: these recipes were run to their end.
ended()
{
	for name in $1; do
		[ "$(counted "$name" status)" = 0 ] || { part "$name" | tail -n 20; fail "recipe $name ended with $(counted "$name" status)"; }
	done
}

# same_count WHAT IS MUST LEAST: two that count alike, and not nothing.
same_count()
{
	[ "${2:-none}" = "$3" ] || fail "$1: ${2:-none}, must be ${3:-none}"
	[ "$2" -ge "$4" ] || fail "$1: only $2"
	figures="${figures:+$figures, }$2 $1"
}

# event_names: all that the kernel has.
event_names()
{
	grep -ohE '^(DEFINE_EB(_REF)?_EVENT|EB_TRACE_EVENT|TRACE_EVENT)\([a-z_]+' "$EVENTS" |
		sed -E 's/.*\(//;s/^(btrfs_eb_)?/btrfs_eb_/' | sort
}

# named WHAT FILE: flags and enums have their names in these lines, the file system its id.
named()
{
	grep -q '' "$2" || fail "$1 prints no event"
	bad=$(grep -vE 'fsid=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} (rule=[a-z_]+ )?start=[0-9]+ serial=[0-9]+ level=[0-9] refs=-?[0-9]+ io_pages=[0-9]+ flags=[A-Z_|]* ' "$2" | head -n 1)
	[ -z "$bad" ] || fail "$1 prints: $bad"
	bad=$(grep -vE ' (seen=[A-Z_|]* at=[a-z_]+ )?task=[0-9]+ ((kind|step|result)=[a-z_]+ )?((arg|error)=-?[0-9]+ )?site=[a-z_0-9.]+( \[btrfs\])?\)?$' "$2" | head -n 1)
	[ -z "$bad" ] || fail "$1 prints: $bad"
	grep -q ' flags=[A-Z_|]*TREE_REF[ |]' "$2" || fail "$1 prints no flag by its name"
}

# replayed NAME ALLOCATED: what that program has recorded is healthy and complete.
replayed()
{
	part "$1" | grep ' btrfs_eb_\|:btrfs_eb_\|^#\|LOST' >"$LOG/$1.txt"
	"$TOP/tools/eb-trace" replay "$LOG/$1.txt" >"$LOG/$1.replay" || { tail -n 5 "$LOG/$1.replay"; fail "$1: it does not replay"; }
	found=$(sed -n 's/^\([0-9]*\) events of .* 0 rules broken, 0 unknown, .*/\1/p' "$LOG/$1.replay")
	[ "$found" = "$(grep -c 'btrfs_eb_[a-z_]*: ' "$LOG/$1.txt")" ] || { tail -n 3 "$LOG/$1.replay"; fail "$1: not all events are read"; }
	same_count 'buffers recorded' "$(grep -c 'btrfs_eb_alloc: ' "$LOG/$1.txt")" "$2" 30
	figures="$figures, $found events replayed"
}

# file_replayed PART: the file itself, which is in that part, says the same as what its
# program has printed of it.
file_replayed()
{
	part "$1" | base64 -d >"$LOG/$1"
	"$TOP/tools/eb-trace" replay "$LOG/$1" >"$LOG/$1.replay" || { tail -n 5 "$LOG/$1.replay"; fail "$1: it does not replay"; }
	for file in recording "$1"; do
		grep ' events of ' "$LOG/$file.replay" | sed 's/ in [0-9.]* s:/:/'
	done | uniq | grep -c . >"$LOG/sums"
	[ "$(cat "$LOG/sums")" -eq 1 ] || { cat "$LOG/$1.replay"; fail "$1: another verdict than of its text"; }
}

# lines PART WORDS: how many lines of it have them.
lines() { part "$1" | grep -c -- "$2" || :; }

# perf_count EVENT: what perf stat has counted.
perf_count() { part perf-stat | awk -v name="btrfs:btrfs_eb_$1" '$2 == name { gsub(/,/, "", $1); print $1 }'; }

perf()
{
	{
		for name in $PERF; do step "$name"; done
		echo 'part recording; cat /guest/recording; part perf.data; base64 /guest/perf.data'
	} | in_guest
	judge_silent "$LOG" || exit 1
	ended "$PERF"
	part perf-list | grep -o 'btrfs:btrfs_eb_[a-z_]*' | sed 's/btrfs://' | sort >"$LOG/listed"
	event_names | diff - "$LOG/listed" || fail "perf does not list what the kernel has"
	for name in alloc free; do
		same_count "$name" "$(perf_count $name)" "$(counted perf-stat $name)" 30
	done
	for name in get put io_end; do
		same_count "$name" "$(perf_count $name)" "$(counted perf-stat ${name}s)" 30
	done
	same_count io_arm "$(perf_count io_arm)" "$(($(counted perf-stat reads) + $(counted perf-stat writes)))" 30
	same_count release "$(perf_count release)" "$(($(counted perf-stat release_done) + $(counted perf-stat release_busy) +
		$(counted perf-stat release_no_tree_ref)))" 10
	replayed recording "$(counted perf-record alloc)"
	file_replayed perf.data
	named 'perf script' "$LOG/recording.txt"
	part perf-trace | grep 'btrfs_eb_tree_ref_' | sed 's/.*(fsid/fsid/' >"$LOG/trace-lines"
	named 'perf trace' "$LOG/trace-lines"
	same_count 'releases seen by perf trace' "$(grep -c ' at=release ' "$LOG/trace-lines")" "$(counted perf-trace release_done)" 10
	pass "$figures"
}

trace_cmd()
{
	{
		step "$TRACE_CMD"
		echo 'part recording; cat /guest/recording; part trace.dat; base64 /guest/trace.dat'
	} | in_guest
	judge_silent "$LOG" || exit 1
	ended "$TRACE_CMD"
	replayed recording "$(counted trace-cmd alloc)"
	file_replayed trace.dat
	named 'trace-cmd report' "$LOG/recording.txt"
	same_count get "$(lines recording ' btrfs_eb_get: ')" "$(counted trace-cmd gets)" 1000
	pass "$figures"
}

tracefs()
{
	{
		for name in $TRACEFS; do
			step "$name"
			echo tidy
			[ "$name" != tracefs ] || cat <<'END'
part recording
cat /guest/recording
# The first one that is read: it is at each mount.
start=$(sed -n 's/.*btrfs_eb_io_arm: .* start=\([0-9]*\) .*/\1/p' /guest/recording | head -n 1)
part start
echo "start $start"
END
		done
	} | in_guest
	judge_silent "$LOG" || exit 1
	ended "$TRACEFS"
	replayed recording "$(counted tracefs alloc)"
	grep -v '^#' "$LOG/recording.txt" >"$LOG/trace-lines"
	named tracefs "$LOG/trace-lines"
	start=$(part start | awk '$1 == "start" { print $2 }')
	of_it=$(lines filter " start=$start ")
	[ "$of_it" -ge 50 ] || fail "the filter lets through $of_it events of buffer $start"
	[ "$of_it" -eq "$(lines filter ': btrfs_eb_')" ] || fail "the filter lets through other buffers than $start"
	same_count 'gets in the histogram' "$(part hist | awk '/Hits:/ { print $2 }')" "$(counted hist gets)" 1000
	same_count 'gets in its rows' "$(part hist | sed -n 's/.*hitcount: *\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n }')" "$(counted hist gets)" 1000
	[ "$(lines hist 'ip: \[[0-9a-f]*\] btrfs_search_slot  *} hitcount')" -ge 1 ] || fail "no function has its name in the histogram"
	part hist | grep -o '{ [0-9]*, "[a-z_]*" }' | tr -d '{},"' | sort >"$LOG/kinds"
	sed -n '/^#define EB_KINDS/,/EMe/p' "$EVENTS" | grep -o '"[a-z_]*"' | tr -d '"' | sort >"$LOG/kinds.code"
	awk '{ print $2 }' "$LOG/kinds" | sort | diff "$LOG/kinds.code" - || fail "the kinds are not told"
	same_count 'stacks of a release' "$(lines stack '=> .*try_release_extent_buffer$')" "$(counted stack release_done)" 10
	pass "$figures, $of_it events of buffer $start"
}

# The bug of 2020 is put in before each recipe; the reads of its mounts break the rule.
violation()
{
	for name in $VIOLATION; do
		echo 'echo read_dance >$mutant'
		step "$name"
		echo 'echo none >$mutant; tidy'
	done >"$LOG/steps"
	# The condition of the snapshot is there for the event itself.
	{
		cat "$LOG/steps"
		echo 'echo read_dance >$mutant'
		step snapshot bare | sed 's/ if refs >= 0//'
	} | in_guest
	judge_hits "$LOG" || exit 1
	judge_reported "$LOG" io_without_dance "$(culprit read_dance)" - || exit 1
	ended "$VIOLATION bare"
	for name in $VIOLATION; do
		part "$name" | grep ' btrfs_eb_' >"$LOG/$name.txt"
		[ "$(wc -l <"$LOG/$name.txt")" -ge 10 ] || fail "$name keeps only $(wc -l <"$LOG/$name.txt") events"
		tail -n 1 "$LOG/$name.txt" >"$LOG/last"
		grep -q ' btrfs_eb_violation: .* rule=io_without_dance ' "$LOG/last" || fail "$name ends with $(cat "$LOG/last")"
		[ "$(grep -c ' btrfs_eb_violation: ' "$LOG/$name.txt")" -eq 1 ] || fail "$name has more than the first violation"
		broken=$(counted "$name" broken_io_without_dance)
		[ "$broken" -ge 2 ] || fail "the rule was broken only $broken times: nothing is left out"
		figures="$figures $name: $(wc -l <"$LOG/$name.txt") events up to the first of $broken violations;"
	done
	part bare | grep ' btrfs_eb_' >"$LOG/bare.txt"
	[ "$(wc -l <"$LOG/bare.txt")" -ge 10 ] || fail "without a condition only $(wc -l <"$LOG/bare.txt") events are kept"
	! grep -q ' btrfs_eb_violation: ' "$LOG/bare.txt" || fail "the trigger needs no condition, as the page says"
	pass "$figures"
}

# map PART NAME [KEY]: the sum of what a map of bpftrace holds, of that key or of all.
map() { part "$1" | sed -n "s/^@$2\(\[${3:-.*}\]\)*: \([0-9-]*\)\$/\2/p" | awk '{ n += $1 } END { print n + 0 }'; }

# The sum of all stacks in a part, and that of all histograms.
stacks() { part "$1" | sed -n 's/^\]: \([0-9]*\)$/\1/p' | awk '{ n += $1 } END { print n + 0 }'; }
histograms() { part "$1" | sed -n 's/^[[][0-9KM]*\(, [0-9KM]*\)*[])] *\([0-9]*\) |.*/\2/p' | awk '{ n += $1 } END { print n + 0 }'; }

bpf()
{
	{
		scripts
		for name in $BPF; do
			case $name in
			# The root of the chunk tree, which is there in each mount.
			bt-tree-ref-one) echo 'start=$(btrfs inspect-internal dump-super /dev/vda | sed -n "s/^chunk_root[[:blank:]][[:blank:]]*//p")' ;;
			bt-repairs) echo 'echo lost_before_dance >$mutant' ;;
			# Something must be outstanding when it ends.
			bt-outstanding) echo 'sed -i "\$s|.*|cat $guard/owners >/guest/owners|" /guest/bin/work' ;;
			esac
			step "$name"
			[ "$name" != bt-repairs ] || echo 'echo none >$mutant'
		done
		echo 'part owners; cat /guest/owners; umount /guest/mnt'
		# A leak in readahead, which the listing of a big directory does; the guard is off.
		cat <<'END'
echo off >/sys/module/btrfs/parameters/eb_debug
echo leak >$mutant
cat >/guest/bin/work <<'WORK'
#!/bin/sh
set -e
mount -o noatime /dev/vda /guest/mnt
mkdir /guest/mnt/dir
for i in $(seq 1000); do : >/guest/mnt/dir/a-file-with-a-name-of-some-length-$i; done
umount /guest/mnt
mount -o noatime /dev/vda /guest/mnt
ls /guest/mnt/dir >/dev/null
WORK
END
		step bt-outstanding leak
		echo 'part hits; cat ${mutant}_hits'
	} | in_guest
	judge_no_report "$LOG" || exit 1
	ended "$BPF leak"
	same_count gets "$(map bpftrace '')" "$(counted bpftrace gets)" 1000
	same_count 'releases that clear TREE_REF' "$(map bt-tree-ref cleared try_release_extent_buffer)" "$(counted bt-tree-ref release_done)" 10
	[ "$(stacks bt-tree-ref)" -eq "$(map bt-tree-ref cleared)" ] || fail "$(stacks bt-tree-ref) stacks of $(map bt-tree-ref cleared)"
	one=$(part bt-tree-ref-one | grep -cE '^[0-9:]{8} start=[0-9]+ serial=[0-9]+ refs=[0-9]+ task=[0-9]+ comm=umount site=try_release_extent_buffer$')
	same_count 'of one buffer' "$one" "$(map bt-tree-ref-one cleared)" 2
	same_count 'reads timed' "$(map bt-read-latency reads)" "$(counted bt-read-latency reads)" 10
	[ "$(histograms bt-read-latency)" -eq "$(map bt-read-latency reads)" ] || fail "$(histograms bt-read-latency) reads are in the histograms"
	[ "$(map bt-read-latency reads 1)" -ge 1 ] || fail "no read was of a node above the leaves"
	same_count repairs "$(map bt-repairs repairs)" "$(counted bt-repairs repairs)" 1
	[ "$(map bt-repairs second 'check_buffer_tree_ref, [01]')" -eq "$(map bt-repairs repairs)" ] || fail "not each repair is of a second"
	part owners | sed -n 's/^count=\([0-9]*\) kind=\([a-z_]*\) site=\([^ ]*\) .*/@held[\2, \3]: \1/p' | grep -v '^@held.tree' | sort >"$LOG/owners"
	# The last time that it is printed.
	part bt-outstanding | awk '!/^@held/ { over = 1; next } over { n = over = 0 } { line[++n] = $0 }
		END { for (i = 1; i <= n; i++) print line[i] }' | sort >"$LOG/outstanding"
	diff "$LOG/owners" "$LOG/outstanding" || fail "what is outstanding is not what the guard knows"
	same_count 'references leaked' "$(map leak held 'readahead, .*')" "$(part hits | grep -x '[0-9]*')" 1
	pass "$figures, $(wc -l <"$LOG/owners") groups outstanding"
}

# followed PART NAME: what eb-trace follow has counted of it at the end.
followed() { part "$1" | awk -v name="$2" '{ for (i = 1; i < NF - 1; i++) if ($i == name && $(i + 1) ~ /\/s$/) n = $(i + 2) } END { print n }'; }

# The program is of this machine, and so is the release in the image.
follow()
{
	"$TOP/tools/eb-trace" --help >/dev/null
	{
		echo "base64 -d >/guest/eb-trace <<'END_OF_FILE'"
		base64 "$EBDEBUG_CACHE/host/eb-trace/eb-trace"
		echo END_OF_FILE
		cat <<'END'
chmod +x /guest/eb-trace

# Its first line says that all events are enabled.
follow_work()
{
	cat $guard/stats >/guest/before
	/guest/eb-trace follow >/guest/follow &
	until grep -q events /guest/follow; do sleep 0.2; done
	part $1
	work
	sleep 2
	kill -INT $!
	status=0
	wait $! || status=$?
	cat /guest/follow
	part $1-counted
	counted
	echo "status $status"
	ls $tracing/instances
}
follow_work follow
echo read_dance >$mutant
follow_work follow-broken
END
	} | in_guest
	judge_hits "$LOG" || exit 1
	judge_reported "$LOG" io_without_dance "$(culprit read_dance)" - || exit 1
	[ "$(lines follow ' 0 lost, 0 rules broken')" -ge 2 ] || { part follow | tail -n 9; fail "events are lost, or rules are broken"; }
	for name in alloc free get put io_end; do
		case $name in
		alloc | free) counter=$name ;;
		*) counter=${name}s ;;
		esac
		same_count "$name" "$(followed follow $name)" "$(counted follow $counter)" 30
	done
	[ "$(counted follow status)" = 0 ] || fail "it ends with $(counted follow status) where all is well"
	[ "$(counted follow-broken status)" = 1 ] || fail "it ends with $(counted follow-broken status) where a rule is broken"
	same_count 'rules broken' "$(followed follow-broken violation)" "$(counted follow-broken broken_io_without_dance)" 2
	[ "$(lines follow-broken '^last: rule=io_without_dance start=')" -ge 1 ] || fail "the last broken rule is not told"
	! part follow-broken-counted | grep -qx eb-trace || fail "its trace instance is left"
	pass "$figures"
}

numbers()
{
	mkdir -p "$LOG/include"
	user_headers "$LOG/include"
	{
		echo '#include <stdio.h>'
		echo '#include "user.h"'
		echo '#include "eb_debug_internal.h"'
		echo '#include "eb_debug_names.h"'
		sed -n 's/^#define \(EB_[A-Z_]*\)[ \t]*\([0-9]*\)$/_Static_assert(\1 == \2, "\1");/p' "$TOP"/tools/bpf/*.bt
		echo 'static const char * const told[EB_KIND_COUNT] = {'
		sed -n 's/^\t@kind\(\[[0-9]*\]\) = \("[a-z_]*"\);$/\1 = \2,/p' "$TOP"/tools/bpf/*.bt
		echo '};'
		echo 'int main(void) { for (int i = 0; i < EB_KIND_COUNT; i++) if (!told[i] || strcmp(told[i], kinds[i])) return puts(kinds[i]) > 0; return 0; }'
	} >"$LOG/numbers.c"
	asserts=$(grep -c '^_Static_assert' "$LOG/numbers.c")
	[ "$asserts" -ge 8 ] || fail "only $asserts numbers were found"
	gcc -std=gnu2x -D_GNU_SOURCE -w -I"$LOG/include" -I"$TOP/model" -I"$TOP/fs/btrfs" -I"$TOP/include" \
		-o "$LOG/numbers" "$LOG/numbers.c" || fail "a number is not the kernel's"
	"$LOG/numbers" >"$LOG/differs" || fail "kind $(cat "$LOG/differs") has another name in the kernel"
	pass "$asserts numbers, $(grep -c '^\[' "$LOG/numbers.c") kinds"
}

# A recipe that no test runs is one that nobody has tried.
recipes()
{
	sed -n 's/^\.\. recipe: //p' "$PAGE" | sort >"$LOG/page"
	echo "$PERF $TRACE_CMD $TRACEFS $VIOLATION $BPF" | tr ' ' '\n' | sort >"$LOG/run"
	[ -s "$LOG/page" ] || fail "there is no recipe"
	uniq -d "$LOG/page" >"$LOG/twice"
	[ ! -s "$LOG/twice" ] || fail "two recipes are called $(cat "$LOG/twice")"
	comm -23 "$LOG/page" "$LOG/run" >"$LOG/untried"
	[ ! -s "$LOG/untried" ] || fail "no test runs $(tr '\n' ' ' <"$LOG/untried")"
	while read -r name; do
		recipe "$name" >/dev/null || fail "recipe $name has no commands"
	done <"$LOG/page"
	pass "$(wc -l <"$LOG/page") recipes"
}

# stub NAME COMMANDS: what is called in place of a program of this machine.
stub()
{
	printf '%s\n' '#!/bin/sh' "$2" >"$LOG/bin/$1"
	chmod +x "$LOG/bin/$1"
}

# image_says WORDS: it ends with an error that has these words, and leaves no image.
image_says()
{
	! PATH=$LOG/bin:$PATH EBDEBUG_CACHE=$LOG/cache "$TOP/tools/image" >"$LOG/said" 2>&1 ||
		fail "it succeeded, where '$1' is to be said"
	grep -qF -- "$1" "$LOG/said" || { cat "$LOG/said"; fail "it does not say '$1'"; }
	[ ! -e "$LOG/cache/image/tools.squashfs" ] || fail "there is an image"
	cases=$((cases + 1))
}

# With programs that are none, so that neither network nor space is needed.
image()
{
	cases=0
	mkdir -p "$LOG/bin" "$LOG/cache"
	stub mmdebstrap "echo call >>$LOG/calls; for a; do case \$a in *.tar) : >\$a ;; esac; done"
	stub tar2sqfs "for to; do :; done; cat >\$to"
	stub apt-get 'echo "deb mirror suite main"'
	stub df 'printf "%s\n" head "fs 9000 8990 10 99% /"'
	image_says '10 MB free'
	rm "$LOG/bin/df"
	stub apt-get :
	image_says 'apt knows no mirror'
	stub apt-get 'echo "deb mirror suite main"'
	stub mmdebstrap 'echo "E: no route to the mirror"; exit 1'
	image_says 'E: no route to the mirror'
	grep -q 'no network?' "$LOG/said" || fail "what it may be is not said"
	stub mmdebstrap "echo call >>$LOG/calls; for a; do case \$a in *.tar) : >\$a ;; esac; done"
	stub tar2sqfs 'exit 1'
	image_says 'could not pack it'
	stub tar2sqfs "for to; do :; done; cat >\$to"
	rm -f "$LOG/calls"
	for _ in 1 2; do
		PATH=$LOG/bin:$PATH EBDEBUG_CACHE=$LOG/cache "$TOP/tools/image" >"$LOG/path" || fail "no image"
		[ -e "$(cat "$LOG/path")" ] || fail "there is nothing at the path that it prints"
	done
	[ "$(grep -c . "$LOG/calls")" -eq 1 ] || fail "the image is made again each time"
	[ ! -e "$LOG/cache/image/tools.tar" ] || fail "its parts are left"
	pass "$cases errors, made once"
}

run()
{
	figures=
	case $1 in
	tools-perf) perf ;;
	tools-trace-cmd) trace_cmd ;;
	tools-tracefs) tracefs ;;
	tools-violation) violation ;;
	tools-bpftrace) bpf ;;
	tools-follow) follow ;;
	tools-numbers) numbers ;;
	tools-recipes) recipes ;;
	tools-image) image ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
