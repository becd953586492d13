# SPDX-License-Identifier: GPL-2.0
# How much of the guard was executed?  Reads what `gcov -b -c -t` says of each object, and
# tests/coverage.known:
#
#   awk -v lines=PERCENT -v branches=PERCENT -f tests/coverage.awk KNOWN GCOV...
#
# Prints a table of files, then each line that was never executed and each branch that was
# never taken, with its function.  Fails, and says why, if less than PERCENT was, if there
# is such a line in a function that is not in KNOWN, or more than KNOWN says, or none in one
# that is "never" there.
#
# A branch is one way of a jump that the compiler has made of a condition, so "a && b" has
# four.  Jumps on a line that by its text has no condition are of the kernel's macros, as are
# those of test_bit() and of a cmpxchg() that may have to be tried again; they are only
# summed up.  What is inline has as many copies as the line of it with the fewest jumps: of
# those one that has taken a branch is enough, in whichever object, if all have the same.

function wrong(words)
{
	print "wrong: " words
	failed = 1
}

function trimmed(text)
{
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	return text
}

# The guard's own files, but for its tests.
function is_ours(path) { return path ~ /(^|[/])fs[/]btrfs[/]eb_debug[a-z_]*[.][ch]$/ && path !~ /kunit/ }

# Has a line a condition of ours?
function has_condition(text)
{
	gsub(/->/, ".", text)
	return text ~ /[?!<>]|==|&&|[|][|]|(if|while|for|switch) ?\(/ && text !~ /test_bit\(|try_cmpxchg\(/
}

# The branches of a line, as one object has them.
function end_line()
{
	if (nr && has_condition(text_of[place]))
		jumps[place] = nr
	else
		macros += nr
	nr = 0
}

# All lines of a function are known: the branches of its copies are those of one.
function end_function(    place, copies, width, key, i)
{
	end_line()
	copies = 0
	for (place in jumps)
		if (!copies || jumps[place] < 2 * copies)
			copies = int(jumps[place] / 2)
	for (place in jumps) {
		width = jumps[place]
		if (is_inline && copies && width % copies == 0)
			width /= copies
		key = place SUBSEP width
		if (!(key in ways)) {
			ways[key] = width
			at[key] = place
		}
		for (i = 1; i <= jumps[place]; i++)
			taken[key, (i - 1) % width + 1] += times[place, i]
	}
	split("", jumps)
}

FILENAME == ARGV[1] {
	if (/^[ \t]*(#|$)/)
		next
	split($0, field, "|")
	name = trimmed(field[1]) " " trimmed(field[2])
	known[name] = trimmed(field[4])
	most[name] = trimmed(field[3])
	if (sub(/^seldom /, "", most[name]))
		seldom[name]
	sub(/^never /, "", most[name])
	next
}

# "COUNT: NUMBER:TEXT" of a source; number 0 has what is said of the file.
/^ *([0-9]+[*]?|-|#####|=====): *[0-9]+:/ {
	end_line()
	count = trimmed(substr($0, 1, index($0, ":") - 1))
	text = substr($0, index($0, ":") + 1)
	number = text + 0
	text = substr(text, index(text, ":") + 1)
	if (!number) {
		if (sub(/^Source:/, "", text)) {
			end_function()
			ours = is_ours(text)
			file = text
			sub(/.*\//, "", file)
			func_name = ""
		}
		next
	}
	if (!ours)
		next
	# A function begins with its name in a line that starts in the first column.
	if (text ~ /^[a-z].*[a-z0-9_]+\(/ && text !~ /;$/) {
		end_function()
		is_inline = (before text) ~ /__always_inline/
		func_name = text
		sub(/\(.*/, "", func_name)
		sub(/.*[^a-z0-9_]/, "", func_name)
	}
	before = text
	place = file SUBSEP number
	func_of[place] = func_name
	text_of[place] = trimmed(text)
	if (count != "-") {
		if (!(place in executed)) {
			places[++n] = place
			if (!(file in all))
				files[++nr_files] = file
			all[file]++
		}
		executed[place] += count
	}
	next
}

/^branch +[0-9]+ / && ours {
	times[place, ++nr] = $3 == "taken" ? $4 : 0
	next
}

function percent(part, all) { return all ? 100 * part / all : 100 }

function show(name, l, l_all, b, b_all)
{
	printf "%-20s %5d of %5d lines %6.1f %%  %5d of %5d branches %6.1f %%\n", name,
		l, l_all, percent(l, l_all), b, b_all, percent(b, b_all)
}

END {
	end_function()
	for (i = 1; i <= n; i++) {
		split(places[i], part, SUBSEP)
		if (executed[places[i]]) {
			done[part[1]]++
			continue
		}
		name = part[1] " " func_of[places[i]]
		missed[name]++
		missing[++m] = sprintf("line %s:%d %s(): %s", part[1], part[2], func_of[places[i]],
			text_of[places[i]])
	}
	for (key in ways) {
		split(at[key], part, SUBSEP)
		for (i = 1; i <= ways[key]; i++) {
			b_all[part[1]]++
			if (taken[key, i]) {
				b_done[part[1]]++
				continue
			}
			missing[++m] = sprintf("branch %s:%d %s(): %d of %d: %s", part[1], part[2],
				func_of[at[key]], i, ways[key], text_of[at[key]])
		}
	}
	for (i = 1; i <= m; i++)
		print missing[i]
	for (i = 1; i <= nr_files; i++) {
		file = files[i]
		l += done[file]
		l_all += all[file]
		b += b_done[file]
		br_all += b_all[file]
		show(file, done[file], all[file], b_done[file], b_all[file])
	}
	show("all", l, l_all, b, br_all)
	print macros + 0 " branches of macros are not counted"
	for (name in missed)
		if (!(name in known))
			wrong(missed[name] " lines of " name "() were never executed, and it is not said why")
		else if (missed[name] > most[name] + 0)
			wrong(missed[name] " lines of " name "() were never executed, it may be " most[name])
	for (name in known)
		if (!(name in missed) && !(name in seldom))
			wrong("all of " name "() was executed, and it is said: " known[name])
	if (percent(l, l_all) < lines)
		wrong(sprintf("%.1f %% of the lines, at least %d must be", percent(l, l_all), lines))
	if (percent(b, br_all) < branches)
		wrong(sprintf("%.1f %% of the branches, at least %d must be", percent(b, br_all), branches))
	exit failed
}
