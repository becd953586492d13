# SPDX-License-Identifier: GPL-2.0
# Joins for tools/sites what it knows of a tree, and prints the places that change
# the reference count of an extent buffer, or, with unhooked=y, those of them that
# no hook accounts for.  Input, fields separated by blanks:
#
#   T file line operation kind                     sites.cocci marked this call
#   K hook kind side lines                         a row of hooks()
#   E function expression kind caller hooks        a row of elsewhere()
#   R file function expression reason              a row of reviewed()
#   P, H and C                                     see sites.awk

# kind_of: what an operation does to a count.
function kind_of(op, tree)
{
	if (op ~ /_set(_release)?$/)
		return "set"
	if (op ~ /xchg/ || op == "address")
		return "any"
	if (op ~ /(inc|add|get)/)
		return tree ? "tree_set" : "get"
	if (op ~ /(dec|sub|put)/)
		return tree ? "tree_clear" : "put"
	return "any"
}

# The tree's reference may be the last one, and go by a change that looks like any other.
function fits(hook_kind, kind)
{
	return hook_kind == kind || (kind == "any" && (hook_kind == "get" || hook_kind == "put")) ||
		(hook_kind == "tree_clear" && (kind == "any" || kind == "put"))
}

# account: give hook h its place, the nearest on the side on which the place must be.
function account(h,    p, distance, best, nearest)
{
	nearest = lines[name[h]] + 1
	best = 0
	for (p = 1; p <= places; p++) {
		if (hooked[p] || away[p] || place_in[p] != hook_in[h] || expression[p] != argument[h] ||
		    !fits(hook_kind[name[h]], kind[p]))
			continue
		distance = side[name[h]] == "after" ? at[h] - line[p] : line[p] - at[h]
		if (distance >= 0 && distance < nearest) {
			nearest = distance
			best = p
		}
	}
	if (best) {
		hooked[best] = 1
		used[h] = 1
	}
}

# unused: how many hooks of this name are in the function and have no place there.
function unused(func_name, wanted,    h, n)
{
	n = 0
	for (h = 1; h <= hook_count; h++)
		if ((!used[h] || hook_kind[wanted] == "tree_clear") && hook_in[h] ~ ("^[^ ]* " func_name "$") && name[h] == wanted)
			n++
	return n
}

# lacking: which of the hooks that a caller must have are not there.
function lacking(func_name, wanted, calls,    part, n, i)
{
	n = split(wanted, part, ",")
	for (i = 1; i <= n; i++)
		if (unused(func_name, part[i]) < calls)
			return " (" part[i] "() is missing in " func_name "())"
	return ""
}

# away_lacks: what is missing for a place whose hooks stand elsewhere.
function away_lacks(p,    key, i, caller, remark)
{
	key = away[p]
	if ((key, func_of[p]) in row)
		remark = lacking(func_of[p], row[key, func_of[p]], 1)
	for (i = 1; i <= call_count && remark == ""; i++) {
		if (callee[i] != func_of[p] || caller_of[i] == func_of[p])
			continue
		caller = caller_of[i]
		if ((key, caller) in row)
			remark = lacking(caller, row[key, caller], calls[caller, callee[i]])
		else
			remark = " (its caller " caller "() is not listed in tools/sites)"
	}
	return remark
}

$1 == "T" { if (type[$2, $3, $4] != "eb") type[$2, $3, $4] = $5; next }
$1 == "K" { hook_kind[$2] = $3; side[$2] = $4; lines[$2] = $5; next }
$1 == "E" { row[$2 " " $3 " " $4, $5] = $6; rows[$2 " " $3 " " $4] = 1; next }
$1 == "R" { reviewed[$2, $3, $4] = 1; next }

$1 == "P" {
	seen[$2, $3, $6] = 1
	is = type[$2, $3, $6]
	if (is == "other" || (is == "" && ($2, $4, $5) in reviewed))
		next
	p = ++places
	place_in[p] = $2 " " $4
	file[p] = $2
	line[p] = $3
	func_of[p] = $4
	expression[p] = $5
	op[p] = $6
	kind[p] = kind_of($6, $7)
	note[p] = is == "" ? " (type not known)" : ""
	# One place of a function is meant by a row, a second one must have a hook.
	key = $4 " " $5 " " kind[p]
	if (key in rows) {
		away[p] = key
		delete rows[key]
	}
	next
}
$1 == "H" {
	h = ++hook_count
	at[h] = $3
	hook_in[h] = $2 " " $4
	argument[h] = $5
	name[h] = $6
	next
}
$1 == "C" {
	callee[++call_count] = $5
	caller_of[call_count] = $4
	calls[$4, $5]++
}

END {
	# What Coccinelle has found and the text does not show is a place all the same.
	for (key in type) {
		split(key, part, SUBSEP)
		if (type[key] == "eb" && !(key in seen))
			print part[1] ":" part[2], "-", "?", part[3]
	}
	for (h = 1; h <= hook_count; h++)
		if (side[name[h]] == "after")
			account(h)
	for (h = hook_count; h > 0; h--)
		if (side[name[h]] == "before")
			account(h)
	for (p = 1; p <= places; p++) {
		remark = away[p] ? away_lacks(p) : ""
		if (unhooked && (away[p] ? remark == "" : hooked[p]))
			continue
		print file[p] ":" line[p], func_of[p], expression[p], op[p] note[p] (unhooked ? remark : "")
	}
}
