#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The documents build without a warning, and what they say exists: each rule,
# counter, knob, level, kind of owner, verb and trace event of the sources is in the
# user's page and the other way round, and the samples are made of what the code
# prints.
#
# shellcheck disable=SC2016  # the backquotes are reStructuredText
set -eu
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PAGE=${PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-debug.rst}
MODEL=$TOP/Documentation/dev-tools/btrfs-eb-debug-model.rst
PICTURES='btrfs-eb-debug-life.dot btrfs-eb-debug-dose.svg'
TRACE=$TOP/Documentation/dev-tools/btrfs-eb-trace.rst
FSTESTS_PAGE=$TOP/Documentation/dev-tools/btrfs-eb-debug-fstests.rst
TESTS_PAGE=${TESTS_PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-debug-tests.rst}
BUGS_PAGE=${BUGS_PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-debug-bugs.rst}
README=${README:-$TOP/README.rst}
WORDS=$TOP/fs/btrfs/eb_debug_report.c
NAMES=$TOP/fs/btrfs/eb_debug_names.h
KNOBS=$TOP/fs/btrfs/eb_debug_fs.c
WHO=$TOP/fs/btrfs/eb_debug_who.c

list()
{
	printf '%s\t%s\n' \
		docs-build "user's page, model, traces, fstests, tests and bugs build with sphinx, pictures included, README and CONTRIBUTING parse, no warning" \
		docs-names "rules, counters, knobs, levels, kinds, verbs, trace events: page and sources name the same ones" \
		docs-samples "the reports in README and page are made of what the code prints, their figures are the sources'" \
		docs-matrix "the table of rules and kernels is what hooks, core and eb_debug_base.h of each base decide" \
		docs-can-fail "a name, a title or a key that does not exist is found"
}

# --- building ---------------------------------------------------------------

build()
{
	for tool in sphinx-build rst2html dot; do
		have "$tool" || fail "there is no $tool; tools/deps installs it"
	done
	rm -rf "$LOG/in" "$LOG/out"
	mkdir -p "$LOG/in"
	cp "$PAGE" "$LOG/in/index.rst"
	cp "$MODEL" "$FSTESTS_PAGE" "$TESTS_PAGE" "$BUGS_PAGE" "$TRACE" "${TRACE%.rst}"-*.svg "$LOG/in"
	for file in $PICTURES; do cp "$(dirname "$MODEL")/$file" "$LOG/in"; done
	# The kernel's own directive for pictures.
	printf '%s\n' "import sys" "sys.dont_write_bytecode = True" \
		"sys.path.insert(0, '$(pristine)/Documentation/sphinx')" \
		"project = 'btrfs-eb-debug'" "extensions = ['kfigure']" >"$LOG/in/conf.py"
	sphinx-build -q -W --keep-going -n -E -b html "$LOG/in" "$LOG/out" ||
		fail "the pages do not build without a warning"
	pictures=$(grep -c '<object data="[^"]*\.svg"\|<img [^>]*src="[^"]*\.svg"' "$LOG/out/btrfs-eb-debug-model.html" || :)
	[ "$pictures" -eq "$(echo "$PICTURES" | wc -w)" ] || fail "$pictures pictures are in the page of the model"
	for file in "$README" "$TOP/CONTRIBUTING.rst"; do
		rst2html --strict --report=info "$file" /dev/null ||
			fail "$(basename "$file") is not clean"
	done
	lines=$(wc -l <"$README")
	[ "$lines" -le 70 ] || fail "README.rst has $lines lines, must be one screen (70)"
	pass "8 documents, README.rst has $lines lines"
}

# --- names ------------------------------------------------------------------

# section TITLE: the text of the page from this heading to the next one that is
# underlined with "=" as well.
section()
{
	awk -v title="$1" '
		/^===+$/ { if (held == title) on = 1; else if (on) exit; held = ""; next }
		{ if (on && held != "") print held; else if (on) print ""; held = $0 }
		END { if (on) print held }' "$PAGE"
}

words() { grep -oE "$1" | tr -d '`' | sort -u; }

# table_names PREFIX: the strings of a table in the sources, by its enum.
table_names()
{
	cat "$WORDS" "$NAMES" | tr '\n\t' '  ' | grep -oE "\\[$1[A-Z_]+\\] = (\\{ *)?\"[a-z_]+\"" |
		sed 's/.*"\(.*\)"/\1/' | grep -v '^none$' | sort -u
}

# keys: what stands before "=" in the formats of the lines in debugfs and at unmount.
keys() { grep -oE '(")?[a-z_]+=%|owners=' "$WHO" | sed 's/=.*//' | tr -d '"' | sort -u; }

# same WHAT: the files "code" and "page" in $LOG hold the same names.
same()
{
	[ -s "$LOG/code" ] || wrong_name "no $1 was found in the sources; this test must be adapted"
	comm -23 "$LOG/code" "$LOG/page" | while read -r name; do
		wrong_name "$1 $name is in the sources and not in the page"; done
	comm -13 "$LOG/code" "$LOG/page" | while read -r name; do
		wrong_name "$1 $name is in the page and not in the sources"; done
	total="${total:+$total, }$(wc -l <"$LOG/code") $1s"
}

wrong_name() { echo "$*" | tee -a "$LOG/wrong"; }

# tested: each test and target that stands in the page of tests is there; 7.x has them all.
tested()
{
	"$TOP/tests/run" -b 7.x --list | sed 's/ .*//' >"$LOG/code"
	grep -E '^``' "$TESTS_PAGE" | words '``[^`]+``' >"$LOG/page"
	while read -r name; do
		case $name in
		'make '*) grep -q "^${name#make }:" "$TOP/Makefile" || wrong_name "there is no target $name" ;;
		*) grep -qxE "$(echo "$name" | sed 's/[*]/.*/g')" "$LOG/code" || wrong_name "there is no test $name" ;;
		esac
	done <"$LOG/page"
	[ -s "$LOG/page" ] || wrong_name "no test was found in the page of tests; this test must be adapted"
	total="$total, $(wc -l <"$LOG/page") names of tests"
}

# replayed: each test that stands in the page of bugs is there, on one kernel or another.
replayed()
{
	for base in $(base_names); do
		for case in finds races; do BASE=$base "$TOP/tests/cases/$case.sh" list; done
	done | cut -f 1 | sort -u >"$LOG/code"
	words '``(find|race)-[^`]+``' <"$BUGS_PAGE" >"$LOG/page"
	[ -s "$LOG/page" ] || wrong_name "no test was found in the page of bugs; this test must be adapted"
	comm -13 "$LOG/code" "$LOG/page" | while read -r name; do wrong_name "there is no replay $name"; done
	total="$total, $(wc -l <"$LOG/page") replays of bugs"
}

names()
{
	: >"$LOG/wrong"
	total=
	table_names EB_RULE_ >"$LOG/code"
	section "The rules" | words '^``[a-z_]+``$' >"$LOG/page"
	same rule

	{
		table_names EB_COUNT_
		# What the file shows beside the counters.
		grep -oE 'seq_printf\(m, "[a-z_]+: %' "$KNOBS" | sed 's/.*"\(.*\): %/\1/'
	} | sort -u >"$LOG/code"
	section debugfs | sed -n '/^``stats``/,/^``coverage``/p' | sed -n '2,$s/^\( *\(``[a-z_]*``,* *\)*\).*/\1/p' |
		words '``[a-z_]+``' | grep -vxE 'judged_|broken_|coverage' >"$LOG/page"
	same counter

	grep -oE 'module_param[a-z_]*\([a-z_]+' "$KNOBS" | sed 's/.*(/btrfs./' | sort -u >"$LOG/code"
	words 'btrfs\.eb_[a-z_]+' <"$PAGE" >"$LOG/page"
	same knob

	grep -ohE '^(DEFINE_EB_EVENT|DEFINE_EB_REF_EVENT|EB_TRACE_EVENT|TRACE_EVENT)\([a-z_]+' "$TOP/include/trace/events/btrfs_eb.h" |
		grep -v '(name' | sed -E 's/.*\((btrfs_eb_)?/btrfs_eb_/' | sort -u >"$LOG/code"
	section "Trace events" | words '``btrfs_eb_[a-z_]+``' >"$LOG/page"
	same "trace event"

	grep -oE 'debugfs_create_file\("[a-z_]+' "$KNOBS" | sed 's/.*"//' | sort -u >"$LOG/code"
	section debugfs | words '^``[a-z_]+``$' >"$LOG/page"
	same "debugfs file"

	table_names EB_LEVEL_ >"$LOG/code"
	section Levels | words '^``[a-z_]+``$' >"$LOG/page"
	same level

	table_names EB_KIND_ >"$LOG/code"
	section Owners | sed -nE 's/^``([a-z_]*)`` +(structure|task) .*/\1/p' | sort -u >"$LOG/page"
	same kind

	grep -oE '(strcmp|str_has_prefix)\(verb, "[a-z_]+' "$WHO" | sed 's/.*"//' | sort -u >"$LOG/code"
	section debugfs | sed -n 's/^    ``\([a-z_]*\)=*``\(\\ \*start\*\)*$/\1/p' | sort -u >"$LOG/page"
	same verb

	keys >"$LOG/code"
	section debugfs | words '``[a-z_]+``' | comm -12 - "$LOG/code" >"$LOG/page"
	same key

	tested
	replayed
	[ ! -s "$LOG/wrong" ] || fail "page and sources differ in $(wc -l <"$LOG/wrong") names"
	pass "$total"
}

# --- samples ----------------------------------------------------------------

# known WHAT TEXT FILE...: the text is in one of the files.
known()
{
	what=$1
	text=$2
	shift 2
	cat "$@" | tr '\n\t' '  ' | grep -qF -- "$text" || wrong_name "$what '$text' is not in the sources"
}

# known_function NAME: a function of btrfs; "unknown" is what the code says of none.
known_function()
{
	[ "$1" = unknown ] || grep -qF -- "$1(" "$(pristine)"/fs/btrfs/*.[ch] ||
		wrong_name "function '$1(' is not in the sources"
}

# known_pairs LINE: the keys of a line in debugfs, or of one at unmount; what they
# say of kinds and functions.
known_pairs()
{
	for pair in $1; do
		known key "${pair%%=*}=%" "$WHO"
		case $pair in
		kind=unknown) ;;
		kind=*) known kind "\"${pair#*=}\"" "$NAMES" ;;
		site=*) known_function "${pair#*=}" ;;
		esac
	done
}

# sample_lines FILE: the lines of reports and of "owners" in it, without indent,
# time and CPU.  What is in capitals is no sample.
sample_lines()
{
	sed -E 's/^ *(\[ *[0-9.]+\] *)?//' "$1" | grep -E '^BTRFS eb_debug: |us ago  |^count=[0-9-]'
}

# line_of_warn: where a report's WARNING comes from; the file is the same in each kernel.
line_of_warn() { grep -n '^	WARN(1, ' "$TOP/include/linux/eb_debug.h" | cut -d : -f 1; }

check_sample()
{
	! grep -nE '^ *@[A-Z]+@' "$1" || wrong_name "$(basename "$1"): a sample is still to be filled in"
	sample_lines "$1" >"$LOG/sample" || wrong_name "$(basename "$1") has no sample report"
	grep -qE '^ *(\[ *[0-9.]+\] )?WARNING: CPU: .* at (include/linux|fs/btrfs)/' "$1" || wrong_name "$(basename "$1"): the sample has no WARNING line"
	grep -oE 'at include/linux/eb_debug[.]h:[0-9]+' "$1" | while IFS=: read -r _ line; do
		[ "$line" = "$(line_of_warn)" ] || wrong_name "$(basename "$1"): the WARNING is of line $line, in the sources it is $(line_of_warn)"
	done
	grep -q 'BTRFS eb_debug: rule=' "$1" || wrong_name "$(basename "$1"): the sample has no line with rule="
	while read -r line; do
		case $line in
		*' us ago  '*)
			# shellcheck disable=SC2086  # to get the words: CPU, event, refs, flags, function
			set -- ${line#*ago}
			case $1 in
			cpu[0-9]*) ;;
			*) wrong_name "'$1' is not the CPU of a transition" ;;
			esac
			known event "\"${2:-}\"" "$NAMES"
			known_function "${5:-no function}" ;;
		*' ms ago')
			# shellcheck disable=SC2086  # to get the words: kind, function
			set -- ${line#BTRFS eb_debug:}
			known kind "\"$1\"" "$NAMES"
			known_function "$2" ;;
		count=*) known_pairs "$line" ;;
		*eb_debug:\ left:*) known_pairs "${line#*left: }" ;;
		*' is explained in '*)
			line=${line#*rule }
			known rule "\"${line%% *}\"" "$NAMES" ;;
		*' in '*)
			title=${line#BTRFS eb_debug: }
			known title "\"${title% in *}\"" "$NAMES"
			known_function "${title##* in }" ;;
		*rule=* | *fsid=*)
			for pair in ${line#BTRFS eb_debug: }; do
				known key "${pair%%=*}=%" "$WORDS"
				[ "${pair%%=*}" != rule ] || known rule "\"${pair#*=}\"" "$NAMES"
			done ;;
		esac
	done <"$LOG/sample"
	total=$((total + $(wc -l <"$LOG/sample")))
}

pristine() { "$TOP/tools/tree" "$BASE" pristine; }

# defined NAME: the number of a macro of the guard.
defined()
{
	cat "$TOP"/fs/btrfs/eb_debug*.[ch] | sed -n "s/^#define $1[[:blank:]]*\\([0-9]*\\)\$/\\1/p"
}

# decided: "number regex": what the documents say with a number before it.
decided()
{
	echo "$(grep -F '| 6.1 |' "$TOP/tests/mutants/table" | grep -vcE '^(#|$)|\| not-run:') (mutants|bugs back)"
	echo "$(defined EB_TASKS) tasks"
	echo "$(defined EB_HELD) references"
	echo "$(defined EB_HISTORY) transitions"
	echo "$(defined EB_FRAMES) frames"
	echo "$(defined EB_SUSPECTS) suspects"
	echo "$(defined EB_GROUPS) groups"
}

# check_figures FILE: numbers that the sources decide.
check_figures()
{
	decided | while read -r number what; do
		[ -n "$what" ] || wrong_name "a number of '$number' was not found in the sources; this test must be adapted"
		grep -noE "[0-9]+ $what" "$1" | while IFS=: read -r line words; do
			[ "${words%% *}" = "$number" ] ||
				wrong_name "$(basename "$1"):$line says $words; in the sources it is $number"
		done
	done
}

# aims: "level percent" of each table of costs in the page, which base it is of before
# that.
aims()
{
	section Cost | awk '
		/^-+$/ { base = held }
		{ held = $0 }
		/^``[a-z]+`` +[+-]/ && split($0, f, / %? +/) >= 4 { gsub(/`/, "", f[1]); print base, f[1], f[4] }'
}

# check_aims: what a level may cost, in each table of the page and in tests/perf/run.
check_aims()
{
	grep '^targets()' "$TOP/tests/perf/run" | grep -oE "'[a-z]+ [0-9.]+'" | tr -d "'" | sort >"$LOG/code"
	[ -s "$LOG/code" ] || wrong_name "tests/perf/run has no targets; this test must be adapted"
	aims >"$LOG/aims"
	grep -q '^6[.]1 ' "$LOG/aims" || wrong_name "the page has no table of costs of 6.1"
	cut -d ' ' -f 1 "$LOG/aims" | uniq | while read -r base; do
		[ -n "$(base_field "$base" 1)" ] || wrong_name "the page has costs of '$base', which is no base"
		sed -n "s/^$base //p" "$LOG/aims" | sort >"$LOG/page"
		cmp -s "$LOG/code" "$LOG/page" ||
			wrong_name "the aims for the cost of a level on $base are not those of tests/perf/run: $(diff "$LOG/code" "$LOG/page" | grep '^[<>]' | tr '\n' ' ')"
	done
}

samples()
{
	: >"$LOG/wrong"
	total=0
	for file in "$README" "$PAGE"; do
		check_sample "$file"
		check_figures "$file"
	done
	check_aims
	grep -oE '^[A-Za-z][A-Za-z0-9_./-]*/' "$README" | while read -r path; do
		[ -e "$TOP/$path" ] || wrong_name "README.rst: there is no $path"; done
	[ ! -s "$LOG/wrong" ] || fail "$(wc -l <"$LOG/wrong") things in the samples are not real"
	pass "$total lines of reports are what the code prints"
}

# --- which rule on which kernel ---------------------------------------------

# matrix_columns: the names of the columns of the table, without the first.
matrix_columns()
{
	section Kernels | awk '$1 == "rule" { for (i = 2; i <= NF; i++) print $i; exit }'
}

# matrix_cells: "rule base word" for each cell of the table.  Columns are where the
# line of "=" says.
matrix_cells()
{
	section Kernels | awk '
		function column(n) {
			s = substr($0, from[n], n == columns ? length($0) : to[n] - from[n] + 1)
			gsub(/^ +| +$/, "", s)
			return s
		}
		/^=+( =+)+$/ {
			if (++rulers == 3) exit
			columns = split($0, part, / +/)
			for (n = at = 1; n <= columns; n++) {
				from[n] = at
				at += length(part[n])
				while (substr($0, at, 1) == " ") at++
				to[n] = at - 1
			}
			next
		}
		rulers == 1 { for (n = 2; n <= columns; n++) name[n] = column(n) }
		rulers == 2 {
			rule = column(1)
			gsub(/`/, "", rule)
			for (n = 2; n <= columns; n++) print rule, name[n], column(n)
		}'
}

# owners_rules: those that are only counted where a place has no hook, of the
# sources and of the page.
owners_rules()
{
	awk '/^#define EB_RULES_OF_OWNERS/ { on = 1 } on { print; if (/[^\\]$/) exit }' \
		"$SOURCES/fs/btrfs/eb_debug_internal.h" | grep -oE 'EB_RULE_[A-Z_]+' |
		sed 's/EB_RULE_//' | tr '[:upper:]' '[:lower:]' | sort -u >"$LOG/code"
	section Owners | tr '\n' ' ' | grep -oE 'in that build [^.]* are only counted' |
		grep -oE '``[a-z_]+``' | tr -d '`' | sort -u >"$LOG/page"
	same "rule of owners"
}

matrix()
{
	: >"$LOG/wrong"
	total=
	sed -n 's/^\([^#| ]*\) *|.*/\1/p' "$SOURCES/BASES" | sort >"$LOG/code"
	matrix_columns | sort >"$LOG/page"
	same kernel
	while read -r base; do
		decided_by "$base" || fail "what the sources say of $base is not understood"
	done <"$LOG/code" | sort >"$LOG/decided"
	matrix_cells | sort >"$LOG/cells"
	[ -s "$LOG/decided" ] || fail "no rule was found in the sources"
	comm -3 "$LOG/decided" "$LOG/cells" | awk -F '\t' '
		{ line = $1 == "" ? $2 : $1; split(line, w, " "); key = w[1] " on " w[2]
		  word = substr(line, length(w[1] " " w[2] " ") + 1)
		  if ($1 == "") page[key] = word; else code[key] = word; keys[key] }
		END { for (key in keys)
			print key ": the sources decide \047" (key in code ? code[key] : "(no such rule)") \
				"\047, the page says \047" (key in page ? page[key] : "(nothing)") "\047" }' |
		sort >>"$LOG/wrong"
	owners_rules
	[ ! -s "$LOG/wrong" ] || {
		cat "$LOG/wrong"
		fail "the table of rules and kernels differs in $(wc -l <"$LOG/wrong") places"
	}
	pass "$(wc -l <"$LOG/cells") cells: $(cut -d ' ' -f 3- "$LOG/cells" | sort | uniq -c |
		awk '{ $1 = $1; all = all (NR > 1 ? "; " : "") $0 } END { print all }')"
}

# --- the other half ---------------------------------------------------------

# spoil TEST VARIABLE SED WORDS: with the document changed, the test must fail
# and say so in these words.
spoil()
{
	case $2 in
	PAGE) from=$PAGE ;;
	README) from=$README ;;
	TESTS_PAGE) from=$TESTS_PAGE ;;
	BUGS_PAGE) from=$BUGS_PAGE ;;
	esac
	sed "$3" "$from" >"$LOG/spoiled.rst"
	! cmp -s "$from" "$LOG/spoiled.rst" || fail "the offence '$3' changes nothing"
	! env "$2=$LOG/spoiled.rst" LOG="$LOG/inner" "$0" run "$1" >"$LOG/said" 2>&1 ||
		fail "$1 did not notice: $3"
	grep -qF -- "$4" "$LOG/said" || fail "$1 failed, but not with '$4' (see $LOG/said)"
	count=$((count + 1))
}

# drift FILE SED WORDS: with that source changed in a copy, the table is wrong.
drift()
{
	rm -rf "$LOG/sources"
	mkdir -p "$LOG/sources"
	(cd "$TOP" && cp -a --parents -t "$LOG/sources" BASES include fs patches)
	find "$LOG/sources" -path "$LOG/sources/$1" -exec sed -i "$2" {} +
	for file in BASES fs patches; do diff -r "$TOP/$file" "$LOG/sources/$file" || :; done >"$LOG/planted"
	[ -s "$LOG/planted" ] || fail "the offence '$2' changes nothing"
	! env SOURCES="$LOG/sources" LOG="$LOG/inner" "$0" run docs-matrix >"$LOG/said" 2>&1 ||
		fail "docs-matrix did not notice in $1: $2"
	grep -qF -- "$3" "$LOG/said" || fail "docs-matrix failed, but not with '$3' (see $LOG/said)"
	count=$((count + 1))
}

# The page and each of the sources that decide, changed by one word or one hook.
matrix_can_fail()
{
	rule='^``freed_in_tree`` '
	spoil docs-matrix PAGE "/$rule/s/WARN/counts/" "freed_in_tree on 5.10: the sources decide 'WARN', the page says 'counts'"
	spoil docs-matrix PAGE "/$rule.*WARN/d" "the page says '(nothing)'"
	spoil docs-matrix PAGE '/^rule  /s/7\.x/9.9/' 'kernel 9.9 is in the page and not in the sources'
	spoil docs-matrix PAGE '/``put_locked``, ``freed_owned``/s/``freed_owned``, //' 'rule of owners freed_owned is in the sources and not in the page'
	drift BASES '/^7\.x/d' 'kernel 7.x is in the page and not in the sources'
	for base in $(base_names); do
		drift "patches/$base/*.patch" '/^+.*eb_debug_free(/d' "freed_in_tree on $base: the sources decide 'not judged', the page says 'WARN'"
		drift "patches/$base/*.patch" '/^+.*eb_debug_unmount(/d' "buffer_leaked on $base: the sources decide 'not judged'"
		drift "patches/$base/*.patch" '0,/^+\(\t*\)eb_debug_io_arm(.*/s//&\n+\1eb_debug_must_dance(eb);/' "io_without_dance on $base: the sources decide 'WARN', the page says 'WARN, reads'"
		drift "patches/$base/eb_debug_base.h" 's/^#define EB_BASE_COUNT_ONLY.*/&|BIT_ULL(EB_RULE_FREED_DIRTY)/' "freed_dirty on $base: the sources decide 'counts', the page says 'WARN'"
	done
	drift patches/6.1/eb_debug_base.h '/^#define EB_BASE_READ_HOLDS/s/false/true/' "io_end_without_tree_ref on 6.1: the sources decide 'WARN, writes', the page says 'WARN'"
	drift 'patches/7.x/*.patch' '0,/^+\(\t*\)eb_debug_io_end(.*/s//&\n+\1eb_debug_writeback_end(eb);/' "writeback_cleared_early on 7.x: the sources decide 'WARN', the page says 'not judged'"
	drift fs/btrfs/eb_debug.c '/judge(verdict, EB_RULE_FREED_LOCKED/d' 'no place of the core is known that judges FREED_LOCKED'
	drift fs/btrfs/eb_debug.c 's/^\tcase EB_EVENT_TASK_END:/\tcase EB_EVENT_TREE_REF_REPAIR:/' "left_by_task on 6.1: the sources decide 'not judged'"
}

can_fail()
{
	count=0
	matrix_can_fail
	spoil docs-build PAGE '$a``open' 'Inline literal'
	spoil docs-names PAGE 's/^``freed_dirty``/``freed_dirtily``/' 'rule freed_dirty is in the sources and not'
	spoil docs-names PAGE 's/^``freed_dirty``/``freed_dirtily``/' 'rule freed_dirtily is in the page and not'
	spoil docs-names PAGE 's/``repairs``  /``repaired`` /' 'counter repaired'
	spoil docs-names PAGE 's/``btrfs_eb_alloc``/``btrfs_eb_allocate``/' 'trace event btrfs_eb_alloc '
	spoil docs-names PAGE 's/btrfs.eb_debug_coverage/btrfs.eb_debug_cover/' 'knob btrfs.eb_debug_cover '
	spoil docs-names PAGE 's/^``history``$/``story``/' 'level history is in the sources and not'
	spoil docs-names PAGE 's/^``readahead``/``readbehind``/' 'kind readbehind is in the page and not'
	spoil docs-names PAGE 's/^    ``baseline``$/    ``basis``/' 'verb baseline is in the sources and not'
	spoil docs-names PAGE 's/``oldest_ms``/the age/' 'key oldest_ms is in the sources and not'
	spoil docs-names TESTS_PAGE 's/^``kunit``/``kunits``/' 'there is no test kunits'
	spoil docs-names TESTS_PAGE 's/^``make soak``$/``make sock``/' 'there is no target make sock'
	spoil docs-names BUGS_PAGE 's/``find-reloc-ref``/``find-reloc-reference``/' 'there is no replay find-reloc-reference'
	spoil docs-samples PAGE 's/256 groups/99 groups/' 'says 99 groups'
	spoil docs-samples PAGE 's/^\(``guard``  *+[0-9.]* %  *+[0-9.]* %  *\)[0-9.]* %/\1999 %/' 'guard 999'
	owner='    BTRFS eb_debug:     lookup      read_tree_block                  pid 21, 3 ms ago'
	event='    BTRFS eb_debug:        154 us ago  cpu0  io_arm          refs=2 flags=TREE_REF read_tree_block'
	left='    BTRFS eb_debug: left: count=3 kind=path site=btrfs_search_slot oldest_ms=7 start=4096'
	spoil docs-samples README "\$a\\$(echo "$owner" | sed 's/lookup/glance/')" "kind '\"glance\"'"
	spoil docs-samples README "\$a\\$(echo "$owner" | sed 's/read_tree_block/no_such_name/')" "function 'no_such_name('"
	spoil docs-samples README "\$a\\$(echo "$event" | sed 's/cpu0 //')" "'io_arm' is not the CPU"
	spoil docs-samples README "\$a\\$(echo "$event" | sed 's/io_arm/io_disarm/')" "event '\"io_disarm\"'"
	spoil docs-samples README "\$a\\$(echo "$left" | sed 's/oldest_ms/age_ms/')" "key 'age_ms=%'"
	spoil docs-samples README "\$a\\$(echo "$left" | sed 's/.*count/    count/;s/path/trail/')" "kind '\"trail\"'"
	# What is planted is wrong by the one word that was changed.
	printf '%s\n' "$owner" "$event" "$left" | cat "$README" - >"$LOG/right.rst"
	env README="$LOG/right.rst" LOG="$LOG/inner" "$0" run docs-samples || fail "lines as the code prints them are not known"
	spoil docs-samples README 's/BTRFS eb_debug: .* in /BTRFS eb_debug: no such title in /' "title '\"no such title\"'"
	spoil docs-samples PAGE '/WARNING: .*eb_debug[.]h:/s/h:[0-9]*/h:12/' 'is of line 12'
	spoil docs-samples README 's/ refs=/ references=/' "key 'references=%'"
	pass "$count offences planted, $count found"
}

prepare() { :; }

run()
{
	mkdir -p "$LOG"
	case $1 in
	docs-build) build ;;
	docs-names) names ;;
	docs-samples) samples ;;
	docs-matrix) matrix ;;
	docs-can-fail) can_fail ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
