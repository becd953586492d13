# SPDX-License-Identifier: GPL-2.0
# What became of each test of a run of fstests, a line a test that has ended:
#
#   name, result, seconds, reads, writes, puts, releases, judged, reports, words
#
# with tabs between them; figures of the guard are "-" in a kernel that has none.
#
#   awk -v said=check.out -v console=console.log -f tools/fstests.awk marks
#
# The guard's counters come from the marks before a test and before the next one.  What is
# named in check.out or on the console twice was run twice: all three are read in order.

BEGIN {
	FS = " "
	OFS = "\t"
}

$1 == "mark" {
	mark++
	name[mark] = $2
	at[mark] = $3
	next
}
/^end of mark/ {
	complete = mark
	next
}
sub(/:$/, "", $1) { count[mark, $1] = $2 }

# Where check is told to leave out a test it says so, and there is no mark.
function find_words(i,    line)
{
	while (!over && index(held, name[i] " ") != 1)
		over = (getline held <said) <= 0
	if (over)
		return
	words[i] = substr(held, length(name[i]) + 1)
	while ((getline line <said) > 0) {
		held = line
		# Lines of the same test, until that of the next.
		if (i < complete && index(line, name[i + 1] " ") == 1)
			return
		if (line ~ /^(Ran|Not run|Failures): /)
			return
		more[i] = more[i] "\n" line
	}
	over = 1
}

# One that came more than once in a test is said once; how often is in the counters.
function report(i, text)
{
	if (!((i, text) in known))
		reported[i] = reported[i] (reported[i] ? ", " : "") text
	known[i, text]
}

function read_console(    line, i, j, func_name, n, part)
{
	while ((getline line <console) > 0) {
		sub(/\r$/, "", line)
		sub(/^\[ *[0-9]+\.[0-9]+\] /, "", line)
		if (line ~ /^run fstests [^ ]+ at /) {
			split(line, part)
			for (j = i + 1; j <= mark && name[j] != part[3]; j++)
				;
			if (j <= mark)
				i = j
		} else if (line ~ /^BTRFS eb_debug: .* in [^ ]+( \[btrfs\])?$/) {
			sub(/ \[btrfs\]$/, "", line)
			n = split(line, part)
			func_name = part[n]
		} else if (line ~ /^BTRFS eb_debug: rule=/) {
			split(line, part)
			report(i, substr(part[3], 6) " in " func_name)
		}
	}
}

# The time of last time stands before that of this one.
function result(i)
{
	sub(/^ *[0-9]+s \.\.\. */, " ", words[i])
	sub(/^ +/, "", words[i])
	if (words[i] ~ /^[0-9]+s$/)
		return "pass"
	if (sub(/^\[not run\] */, "", words[i]))
		return "notrun"
	return "fail"
}

function reason(i, what,    text)
{
	if (what == "pass")
		return ""
	text = words[i]
	if (text ~ /^ *$/) {
		text = more[i]
		gsub(/^[\n ]+/, "", text)
		sub(/\n.*/, "", text)
	}
	sub(/ *\(see [^)]*\)?/, "", text)
	gsub(/\t/, " ", text)
	return text
}

function since(i, counter)
{
	return (i, counter) in count ? count[i + 1, counter] - count[i, counter] : "-"
}

function judged(i,    key, part, sum, any)
{
	for (key in count) {
		split(key, part, SUBSEP)
		if (part[1] == i && part[2] ~ /^judged_/) {
			sum += count[i + 1, part[2]] - count[key]
			any = 1
		}
	}
	return any ? sum : "-"
}

END {
	for (i = 1; i < complete; i++)
		find_words(i)
	read_console()
	for (i = 1; i < complete; i++) {
		what = result(i)
		text = reason(i, what)
		if (reported[i])
			text = text (text ? "; " : "") "REPORT: " reported[i]
		print name[i], what, sprintf("%.1f", at[i + 1] - at[i]), since(i, "reads"),
			since(i, "writes"), since(i, "puts"), since(i, "release_done"),
			judged(i), since(i, "reports"), text
	}
}
