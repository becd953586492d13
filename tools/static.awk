# SPDX-License-Identifier: GPL-2.0
# Joins for tools/static what was found in a tree with the functions and with what is
# known, and prints what is not known, or, with all=y, all.  With exact=y also each row
# of this base that has another number of places than it says.  Input, fields separated
# by tabs:
#
#   K rule bases function name most reason    a row of tools/static.known
#   F file line function                      a function begins here
#   M rule file line text                     something was found

# name_of: what was found: the variable, the member or the function that is called.
function name_of(text)
{
	if (match(text, /eb_found__(over)?\([A-Za-z0-9_]+/)) {
		text = substr(text, RSTART, RLENGTH)
		sub(/.*\(/, "", text)
		return text
	}
	match(text, /eb_found__[A-Za-z0-9_]+/)
	text = substr(text, RSTART + 10, RLENGTH - 10)
	sub(/^eb_starts__/, "", text)
	return text
}

# message: what is said of it.
function message(m)
{
	if (rule[m] == "dance")
		return "starts IO by " name[m] "() after the IO state was armed, and may not have called check_buffer_tree_ref() in between"
	if (rule[m] == "raw")
		return "changes " (name[m] == "refs" ? "the reference count" : name[m]) " of an extent buffer by itself"
	if (text[m] ~ /eb_found__over\(/)
		return "overwrites '" name[m] "' here, and may hold a reference to it that is not given back"
	return "returns here, and may hold a reference to '" name[m] "' that is not given back, handed out or stored"
}

# function_at: in which a line of a file is.
function function_at(file, line)
{
	for (; line > 0; line--)
		if ((file, line) in begins)
			return begins[file, line]
	return "?"
}

BEGIN { FS = "\t" }

$1 == "K" {
	if (base != "" && $3 != "all" && !index("," $3 ",", "," base ","))
		next
	row = $2 " " $4 " " $5
	count = split($4, names, "/")
	for (i = 1; i <= count; i++) {
		key = $2 " " names[i] " " $5
		if ($6 > most[key])
			most[key] = $6
		reason[key] = $7
		row_of[key] = row
	}
	next
}
$1 == "F" { begins[$2, $3] = $4; next }
$1 == "M" {
	m = ++places
	rule[m] = $2
	file[m] = $3
	line[m] = $4
	text[m] = $5
	name[m] = name_of($5)
	func_of[m] = function_at($3, $4)
	key_of[m] = $2 " " func_of[m] " " name[m]
	found[key_of[m]]++
}

END {
	for (m = 1; m <= places; m++) {
		key = key_of[m]
		known = found[key] <= most[key]
		if (known && all == "")
			continue
		print "fs/btrfs/" file[m] ":" line[m] ": " rule[m] ": " func_of[m] "() " message(m) \
			(known ? " [known: " reason[key] "]" : most[key] ? " (" found[key] " places, " most[key] " are known)" : "")
	}
	if (exact == "")
		exit
	for (key in most) {
		there[row_of[key]] += found[key]
		says[row_of[key]] = most[key]
	}
	for (row in says)
		if (there[row] != says[row])
			print "tools/static.known: " row ": says " says[row] " places, there are " there[row]
}
