# SPDX-License-Identifier: GPL-2.0
# Reads C files for tools/sites, as text: no function is too strange for it.
# Prints, separated by tabs,
#
#   P file line function expression operation tree   the address of a count is used
#   H file line function expression hook             a hook stands here
#   C file line function callee                      one of the callees is called
#
# "tree" is 1 when TREE_REF is set or cleared just before.  An operation that only
# reads is left out.  hooks and callees are names, joined by "|".

# strip: the line without comments, and with its strings empty.
function strip(s,    out)
{
	out = ""
	while (1) {
		if (in_comment) {
			if (!index(s, "*/"))
				return out
			s = substr(s, index(s, "*/") + 2)
			in_comment = 0
		}
		if (!match(s, /\/\*|\/\/|"/))
			return out s
		if (substr(s, RSTART, 2) == "//")
			return out substr(s, 1, RSTART - 1)
		if (substr(s, RSTART, 1) == "/") {
			out = out substr(s, 1, RSTART - 1) " "
			s = substr(s, RSTART + 2)
			in_comment = 1
		} else if (RSTART > 1 && substr(s, RSTART - 1, 3) == "'\"'") {
			out = out substr(s, 1, RSTART + 1)
			s = substr(s, RSTART + 2)
		} else {
			out = out substr(s, 1, RSTART - 1) "\"\""
			s = substr(s, RSTART + 1)
			if (!match(s, /^([^"\\]|\\.)*"/))
				return out
			s = substr(s, RLENGTH + 1)
		}
	}
}

# head_name: the name of the function whose definition may begin on this line.
function head_name(s,    name)
{
	while (match(s, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(s, RSTART, RLENGTH - 1)
		sub(/[ \t]+$/, "", name)
		if (name !~ /^(__attribute__|__printf|__aligned|__releases|__acquires|__must_hold)$/)
			return name
		s = substr(s, RSTART + RLENGTH)
	}
	return ""
}

# word_before: the word that ends at a place in the text, white space skipped.
function word_before(s)
{
	sub(/[ \t\n]+$/, "", s)
	return match(s, /[A-Za-z_][A-Za-z0-9_]*$/) ? substr(s, RSTART) : ""
}

# ampersand: where the & stands whose operand ends with the text; 0 for none.
function ampersand(s,    i, c, depth, word)
{
	depth = 0
	for (i = length(s); i > 0; i--) {
		c = substr(s, i, 1)
		if (c == ")" || c == "]")
			depth++
		else if (c == "(" || c == "[") {
			if (depth)
				depth--
			else if (c == "[" || substr(s, i - 1, 1) != "&")
				return 0
		} else if (depth)
			continue
		else if (c == "&") {
			word = word_before(substr(s, 1, i - 1))
			if (substr(s, i - 1, 1) == "&" || (word != "" && word != "return"))
				return 0
			return i
		} else if (c == ">" && substr(s, i - 1, 1) == "-")
			i--
		else if (c !~ /[A-Za-z0-9_. \t\n]/)
			return 0
	}
	return 0
}

# opening: where the parenthesis stands that is open at the end of the text.
function opening(s,    i, c, depth)
{
	depth = 0
	for (i = length(s); i > 0; i--) {
		c = substr(s, i, 1)
		if (c == ")")
			depth++
		else if (c == "(" && !depth--)
			return i
		else if (c ~ /[;{}]/)
			return 0
	}
	return 0
}

function plain(s)
{
	gsub(/[ \t\n]/, "", s)
	while (s ~ /^\([^()]*\)$/)
		s = substr(s, 2, length(s) - 2)
	return s
}

# places: each use of the address of a count in the line.
function places(s,    from, text, at, call, op, line, expression, twice)
{
	from = 0
	while (match(substr(s, from + 1), /(->|\.)refs(\.refs)?([^A-Za-z0-9_\[]|$)/)) {
		text = before "\n" substr(s, 1, from + RSTART - 1)
		twice = index(substr(s, from + RSTART, RLENGTH), "refs.refs")
		from += RSTART + (twice ? 9 : 4)
		at = ampersand(text)
		if (!at)
			continue
		expression = substr(text, at + 1)
		sub(/^\(/, "", expression)
		if (gsub(/\(/, "(", expression) < gsub(/\)/, ")", expression))
			expression = "(" expression
		call = opening(substr(text, 1, at - 1))
		op = call ? word_before(substr(text, 1, call - 1)) : ""
		if (op ~ /_read(_acquire)?$/)
			continue
		if (op ~ /^(|if|while|for|switch|return|sizeof|typeof)$/) {
			op = "address"
			call = at
		}
		line = substr(text, call)
		line = FNR - gsub(/\n/, "", line)
		print "P", FILENAME, line, fn, plain(expression), op, (FNR - tree_at <= 3)
	}
}

# hook: the hook of the line, and its first argument.
function hook(s,    name, argument, i, c, depth)
{
	if (!match(s, "(^|[^A-Za-z0-9_])(" hooks ")[ \t]*\\("))
		return
	name = substr(s, RSTART, RLENGTH - 1)
	gsub(/[^A-Za-z0-9_]/, "", name)
	argument = substr(s, RSTART + RLENGTH)
	depth = 0
	for (i = 1; i <= length(argument); i++) {
		c = substr(argument, i, 1)
		if (c ~ /[(\[]/)
			depth++
		else if ((c == "," || c == ")") && !depth)
			break
		else if (c ~ /[)\]]/)
			depth--
	}
	print "H", FILENAME, FNR, fn, plain(substr(argument, 1, i - 1)), name
}

function calls(s,    name)
{
	while (match(s, "(^|[^A-Za-z0-9_])(" callees ")[ \t]*\\(")) {
		name = substr(s, RSTART, RLENGTH - 1)
		gsub(/[^A-Za-z0-9_]/, "", name)
		print "C", FILENAME, FNR, fn, name
		s = substr(s, RSTART + RLENGTH)
	}
}

BEGIN { OFS = "\t" }

FNR == 1 { in_comment = 0; fn = head = "-"; tree_at = -9; before = "" }

{
	text = strip($0)
	one_line = 0
	if (fn == "-" && text ~ /^[A-Za-z_].*\(/ && text !~ /;[ \t]*$/) {
		if (head_name(text) != "")
			head = head_name(text)
		one_line = text ~ /\).*\{.*\}[ \t]*$/
	}
	if (text ~ /^\{/ || one_line || (fn == "-" && text ~ /^[A-Za-z_].*\).*\{[ \t]*$/)) {
		fn = head
		tree_at = -9
		before = ""
	}
	if (text ~ /EXTENT_BUFFER_TREE_REF/)
		tree_at = FNR
	if (text ~ /(->|\.)refs/)
		places(text)
	if (fn != "-") {
		hook(text)
		calls(text)
	}
	# An operation may begin some lines before the count that it changes.
	before = before "\n" text
	while (gsub(/\n/, "\n", before) > 6)
		before = substr(before, index(before, "\n") + 1)
	if (text ~ /^\}/ || one_line)
		fn = "-"
}
