# SPDX-License-Identifier: GPL-2.0
# Which rule does the guard judge on a base, and is it warned about?  Read from the
# sources: prints "rule<TAB>word" for each rule.
#
#   awk -v base=BASE -f tests/matrix.awk CORE OTHERS... BASE_HEADER PATCHES...
#
# CORE is eb_debug.c: there an event leads to functions, and they judge rules.  In the
# OTHERS a hook leads to events, directly or through functions; the names of rules are
# there as well.  A patch adds calls of hooks.  So a rule is judged if a hook that
# leads to it is called by a patch; what is done with it is said in the BASE_HEADER.
# Hooks that only note what is needed to judge later are not looked at.
#
# It knows the layout of the kernel's style and no C: a function begins with its name
# and "(" in a line that starts in the first column, and ends with "}" there.

function stop(words)
{
	print "matrix: " words >"/dev/stderr"
	failed = 1
	exit 1
}

# The function that a text belongs to: static ones are known in their file only.
function node(name, file) { return ((file, name) in is_static) ? file ":" name : name }

function words_of(text, to,    n, i, part)
{
	n = split(text, part, /[^A-Za-z0-9_]+/)
	for (i = 1; i <= n; i++)
		if (part[i] != "")
			to[part[i]]
}

# A statement of the core that judges a rule, from the end of the one before it.
function judged(text,    rule)
{
	if (!match(text, /judge\(verdict, EB_RULE_[A-Z_]+/))
		return
	rule = substr(text, RSTART, RLENGTH)
	sub(/.*EB_RULE_/, "", rule)
	# One that is kept whatever happens only counts.
	if (text ~ "EB_RULE_" rule ",[ \t]*true\\)")
		return
	judges[here] = judges[here] " " rule
	if (label != "")
		judges["EB_EVENT_" label] = judges["EB_EVENT_" label] " " rule
	if (text ~ /holds_itself\(|read_holds/)
		spares_reads[rule] = 1
	if (text ~ /io_must_dance/)
		must_dance[rule] = 1
	if (text ~ /reading_tested/)
		must_look[rule] = 1
}

FNR == 1 {
	files++
	here = name = statement = label = ""
	in_macro = 0
}

# --- patches ----------------------------------------------------------------

FILENAME ~ /\.patch$/ {
	patches++
	if ($0 ~ /^\+\t+eb_debug_[a-z_]+\(/) {
		hook = $0
		sub(/^\+\t+/, "", hook)
		sub(/\(.*/, "", hook)
		# Nothing is judged at a point.
		if (hook !~ /^eb_debug_point/)
			called[hook] = 1
	}
	next
}

# --- what a base says -------------------------------------------------------

FILENAME ~ /eb_debug_base\.h$/ {
	if (/^#define EB_BASE_COUNT_ONLY/) in_macro = said_counts = 1
	if (in_macro) {
		text = $0
		while (match(text, /EB_RULE_[A-Z_]+/)) {
			counts[substr(text, RSTART + 8, RLENGTH - 8)] = 1
			text = substr(text, RSTART + RLENGTH)
		}
		if ($0 !~ /\\$/) in_macro = 0
	}
	if (/^#define EB_BASE_READ_HOLDS/) { said_holds = 1; read_holds = ($3 == "true") }
	next
}

# --- functions --------------------------------------------------------------

{ line = $0; gsub(/\/\*.*\*\/|"[^"]*"/, "", line) }

/^ \*|^\/\*|^#/ { if (here == "") next }

/\[EB_RULE_[A-Z_]+\] = \{/ { rule = $0; sub(/.*\[EB_RULE_/, "", rule); sub(/\].*/, "", rule); in_rule = rule }
in_rule != "" && /"[a-z_]+"/ {
	text = $0
	match(text, /"[a-z_]+"/)
	if (in_rule != "NONE") rule_name[in_rule] = substr(text, RSTART + 1, RLENGTH - 2)
	in_rule = ""
}

here == "" && /^[a-z][a-zA-Z0-9_ *]*\(/ && !/;$/ {
	name = $0
	sub(/\(.*/, "", name)
	static_line = name ~ /^static / || before ~ /^static /
	sub(/.*[ *]/, "", name)
	if (static_line && FILENAME !~ /\.h$/) is_static[FILENAME, name] = 1
}
{ before = $0 }
here == "" && /^{/ && name != "" {
	here = node(name, FILENAME)
	file_of[here] = FILENAME
	statement = label = ""
	next
}
here != "" && /^}/ { here = name = ""; next }
here == "" { next }

{ body[here] = body[here] " " line }

# In the core: which event is this, and what does it lead to?
FILENAME ~ /\/eb_debug\.c$/ {
	# It tells no events, whatever it calls them.
	gsub(/EB_EVENT_[A-Z_]+/, "", body[here])
	if (match(line, /case EB_EVENT_[A-Z_]+:/)) {
		label = substr(line, RSTART + 14, RLENGTH - 15)
		statement = ""
		next
	}
	if (line ~ /default:/) label = ""
	if (label != "") leads["EB_EVENT_" label] = leads["EB_EVENT_" label] " " line
	statement = statement " " line
	if (line ~ /[;{}][ \t]*$/) { judged(statement); statement = "" }
	next
}
# Elsewhere an event that is only asked about is none that is told.
/case EB_EVENT_|== EB_EVENT_/ { gsub(/EB_EVENT_[A-Z_]+/, "", body[here]) }

# --- the answer -------------------------------------------------------------

# All that can be reached from a function or an event, into seen[].
function reach(from,    w, word, to)
{
	if (from in seen)
		return
	seen[from] = 1
	split("", w)
	words_of(from ~ /^EB_EVENT_/ ? leads[from] : body[from], w)
	for (word in w) {
		to = node(word, from ~ /^EB_EVENT_/ ? core_file : file_of[from])
		# The switch of the core is no way: what it does is told by the event.
		if (to == "btrfs_eb_core_event")
			continue
		if (to in body || word ~ /^EB_EVENT_/)
			reach(to)
	}
}

function answer(rule,    word)
{
	if (!(rule in is_judged))
		return "not judged"
	if ((rule in must_look) && !("eb_debug_reading" in called))
		return "not judged"
	word = (rule in counts) ? "counts" : "WARN"
	if ((rule in spares_reads) && read_holds)
		return word ", writes"
	if ((rule in must_dance) && !("eb_debug_must_dance" in called))
		return word ", reads"
	return word
}

END {
	if (failed)
		exit 1
	for (f in file_of)
		if (file_of[f] ~ /\/eb_debug\.c$/)
			core_file = file_of[f]
	if (!patches || !said_counts || !said_holds || core_file == "")
		stop("a source is missing, or is not understood any more")
	split("", seen)
	for (hook in called) {
		if (!(hook in body))
			stop(hook "() is called by a patch and is not in the sources")
		reach(hook)
	}
	for (from in seen) {
		n = split(judges[from], r, " ")
		for (i = 1; i <= n; i++)
			is_judged[r[i]] = 1
	}
	for (from in judges) {
		n = split(judges[from], r, " ")
		for (i = 1; i <= n; i++)
			anywhere[r[i]] = 1
	}
	for (rule in rule_name) {
		if (!(rule in anywhere))
			stop("no place of the core is known that judges " rule)
		print rule_name[rule] "\t" answer(rule)
	}
}
