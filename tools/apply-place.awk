# SPDX-License-Identifier: GPL-2.0
# Puts the lines of a patch where they belong in a tree that may have changed, and
# nowhere else, for tools/apply.
#
#   awk -v work=DIR -v name=PATCH [-v partial=1] [-v functions=FILE] -f apply-place.awk PATCH
#
# Unlike patch it takes each added piece by itself, with the three lines around it.  A
# piece stands in the function in which the patch has it, or behind the label if the
# hunk's heading names no more than that, between the same lines; nothing is guessed.  If
# lines farther off have changed, the next ones may do: both neighbours must be the same,
# the function must be, there must be one such place, and most of what was around must
# still be near.  Lines of the guard itself are not looked at when lines are compared, so
# that a hook that is lost does not take others along.  "functions" has a function and,
# for a kernel that lacks it, the one in which its lines stand there, on each line.
#
# Files are read from DIR and written there.  On stdout: "note TEXT" for a piece that
# was put between changed lines, "lost TEXT" for one that has no place and "left TEXT"
# for a hook that "partial" lets go, TEXT being lines joined by a tab; at last "pieces
# N".

function is_own(s) { return source_c && s ~ /eb_debug|struct btrfs_eb_token/ }

function is_hook(s) { return s ~ /^\t+eb_debug_[a-z_]+\([^;{}]*\);$/ }

# head_name: what a line that begins at the left edge defines; "?" if it can't be told.
function head_name(s,    word)
{
	if (match(s, /^(static |const )*(struct|union|enum) [A-Za-z0-9_]+ \{/)) {
		sub(/ \{.*/, "", s)
		return s
	}
	while (match(s, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		word = substr(s, RSTART, RLENGTH - 1)
		sub(/[ \t]+$/, "", word)
		if (word !~ /^(__attribute__|__printf|__aligned|__releases|__acquires|__must_hold)$/)
			return word
		s = substr(s, RSTART + RLENGTH)
	}
	return "?"
}

# track: the function in which the text is after this line, if it was in "inside"
# before; "" is outside.  A declaration ends before it has a body.
function track(s, inside)
{
	if (s ~ /^[A-Za-z_]/ && s !~ /^[A-Za-z0-9_]+:/) {
		if (s ~ /;[ \t]*$/)
			return ""
		no_body = s !~ /\{[ \t]*$/
		return head_name(s)
	}
	if (s ~ /^\{/ || s ~ /\{[ \t]*$/)
		no_body = 0
	if (s ~ /^\}/ || (no_body && s ~ /;[ \t]*$/)) {
		no_body = 0
		return ""
	}
	return inside
}

# track_label: the label behind which the text is, in the same way.
function track_label(s, last)
{
	if (s ~ /^[A-Za-z0-9_]+:/)
		return s
	return s ~ /^[A-Za-z_}]/ ? "" : last
}

# --- the file of the tree ---------------------------------------------------

# text[1..lines] are its lines without those of the guard, which hang behind them:
# own[i, 1..owns[i]], or before all with i = 0.  at[i] is the line's number when the
# patch was begun, inside[i] the function after it.
function read_file(path,    s, n)
{
	split("", text)
	split("", own)
	split("", owns)
	split("", at)
	lines = n = owns[0] = 0
	there = 0
	while ((getline s <path) > 0) {
		there = 1
		n++
		if (is_own(s)) {
			own[lines, ++owns[lines]] = s
			continue
		}
		text[++lines] = s
		at[lines] = n
		owns[lines] = 0
	}
	close(path)
	find_functions()
}

function find_functions(    i)
{
	split("", inside)
	inside[0] = label[0] = ""
	no_body = 0
	for (i = 1; i <= lines; i++) {
		inside[i] = track(text[i], inside[i - 1])
		label[i] = track_label(text[i], label[i - 1])
	}
}

function write_file(path,    i, j)
{
	printf "" >path
	for (i = 0; i <= lines; i++) {
		if (i)
			print text[i] >path
		for (j = 1; j <= owns[i]; j++)
			print own[i, j] >path
	}
	close(path)
}

# hang: a line of the guard behind line i, as the one after "before" others there.
function hang(i, before, s,    j)
{
	if (before > owns[i])
		before = owns[i]
	for (j = ++owns[i]; j > before + 1; j--)
		own[i, j] = own[i, j - 1]
	own[i, before + 1] = s
}

# splice: put n lines of add[] in the place of those behind line i that are taken away.
# Lines of the guard that hung behind one of those stay, behind the last line now.
function splice(i, gone, n,    shift, j, k, kept, keep)
{
	kept = 0
	for (j = i + 1; j <= i + gone; j++)
		for (k = 1; k <= owns[j]; k++)
			keep[++kept] = own[j, k]
	shift = n - gone
	if (shift > 0)
		for (j = lines; j > i + gone; j--)
			move(j, j + shift)
	else
		for (j = i + gone + 1; j <= lines; j++)
			move(j, j + shift)
	lines += shift
	for (k = 1; k <= n; k++) {
		text[i + k] = add[k]
		at[i + k] = 0
		owns[i + k] = 0
	}
	for (k = 1; k <= kept; k++)
		own[i + n, ++owns[i + n]] = keep[k]
	find_functions()
}

function move(from, to,    j)
{
	text[to] = text[from]
	at[to] = at[from]
	for (j = 1; j <= owns[from]; j++)
		own[to, j] = own[from, j]
	owns[to] = owns[from]
}

# --- one piece --------------------------------------------------------------

# matches: whether the piece fits behind line i, with so many lines around it.
function matches(i, b, a,    j)
{
	if (i - b < 0 || i + minus + a > lines)
		return 0
	for (j = 0; j < b; j++)
		if (text[i - j] != before[befores - j])
			return 0
	for (j = 1; j <= minus; j++)
		if (text[i + j] != gone[j])
			return 0
	for (j = 1; j <= a; j++)
		if (text[i + minus + j] != after[j])
			return 0
	return 1
}

# near: whether a line is among the next eight on that side.
function near(i, step, s,    j)
{
	for (j = 0; j < 8 && i > 0 && i <= lines; j++) {
		if (text[i] == s)
			return 1
		i += step
	}
	return 0
}

# familiar: whether at least half of what was around the place still is.
function familiar(i, b, a,    j, have, want)
{
	have = want = 0
	for (j = b; j < befores; j++)
		if (before[befores - j] ~ /[A-Za-z]/) {
			want++
			have += near(i, -1, before[befores - j])
		}
	for (j = a + 1; j <= afters; j++)
		if (after[j] ~ /[A-Za-z]/) {
			want++
			have += near(i + 1, 1, after[j])
		}
	return 2 * have >= want
}

# telling: whether the two neighbours say more than that a block ends.
function telling(    s)
{
	s = before[befores] after[1]
	gsub(/[^A-Za-z0-9_]/, "", s)
	return length(s) >= 8
}

# search: the places of the piece in found[], with at most "fuzz" lines ignored at
# either end; in any function with "anywhere".
function search(fuzz, anywhere,    i, b, a)
{
	split("", found)
	founds = 0
	b = befores > 3 - fuzz ? 3 - fuzz : befores
	a = afters > 3 - fuzz ? 3 - fuzz : afters
	if (fuzz && (!b || !a || minus || !telling()))
		return 0
	for (i = 0; i <= lines; i++) {
		if (b && text[i] != before[befores])
			continue
		if (!anywhere && (where != "?" ? inside[i] != where : behind != "" && label[i] != behind))
			continue
		if (matches(i, b, a) && (!fuzz || (familiar(i, b, a) && (anywhere || steady(i)))))
			found[++founds] = i
	}
	return founds
}

# drift: how far a place is from where the patch has it.
function drift(i) { return at[i] - line_before }

# steady: whether it has moved about as far as the piece before it, unlike one that only
# looks alike.
function steady(i,    n)
{
	n = drift(i) - last_drift
	return !at[i] || (n <= 60 && n >= -60)
}

# choose: the one place, or -1.  If there are several it is the one that has moved as
# the piece before it has.
function choose(    i)
{
	if (founds == 1)
		return found[1]
	for (i = 1; i <= founds; i++)
		if (befores && drift(found[i]) == last_drift && !used_fuzz)
			return found[i]
	return -1
}

# locate: the line behind which the piece belongs, or -1.
function locate(    i, most)
{
	# Where neither function nor label can be told, or in a file that has none, nothing
	# may differ.
	most = where != "?" || behind != "" || is_include ? 2 : 0
	for (used_fuzz = 0; used_fuzz <= most; used_fuzz++)
		if (search(used_fuzz, 0)) {
			i = choose()
			# In the order of the patch, or it is another place that looks alike.
			return i > last_place || (i == last_place && hung) ? i : -1
		}
	founds = 0
	return is_include ? beside_include() : -1
}

# beside_include: an include may stand beside either of its neighbours, if there is one
# such line.
function beside_include(    i, n, found_at)
{
	for (n = i = 0; i <= lines; i++)
		if (i && befores && before[befores] ~ /^#include / && text[i] == before[befores]) {
			n++
			found_at = i
		}
	if (!n)
		for (i = 0; i < lines; i++)
			if (afters && after[1] ~ /^#include / && text[i + 1] == after[1]) {
				n++
				found_at = i
			}
	return n == 1 ? found_at : -1
}

function place_piece(    i, k, n, own_only)
{
	pieces++
	i = there ? locate() : -1
	if (i < 0) {
		lose()
		return
	}
	own_only = !minus
	for (k = 1; k <= adds; k++)
		own_only = own_only && is_own(add[k])
	if (own_only)
		for (k = 1; k <= adds; k++)
			hang(i, hung + k - 1, add[k])
	else
		splice(i, minus, adds)
	if (used_fuzz)
		note(i)
	if (befores && at[i])
		last_drift = drift(i)
	last_place = own_only ? i : i + adds
}

# --- words ------------------------------------------------------------------

function in_function(f)
{
	if (f == "" || f == "?")
		return ""
	return f ~ / / ? ", in " f : ", in " f "()"
}

function all_added(    k, s)
{
	s = ""
	for (k = 1; k <= adds; k++)
		if (add[k] ~ /[^ \t]/) {
			sub(/^[ \t]+/, "", add[k])
			s = s "\t        " add[k]
		}
	return s
}

function note(i)
{
	print "note " file ":" i + 1 in_function(inside[i]) ": placed " (used_fuzz > 2 ? "beside a line that is the same" : "where both neighbours are the same") "; lines around have changed:" all_added()
}

# nearest: where the reader should look: in the function, or at the same lines in
# another one.
function nearest(    i, k, best)
{
	best = ""
	if (where == "?" ? behind != "" : exists(where))
		best = beside()
	for (k = 0; k <= 2 && best == ""; k++)
		if (search(k, 1))
			return "the same lines are at line " found[1] + 1 in_function(inside[found[1]])
	if (best == "")
		best = beside()
	if (best != "")
		return "the nearest place is at line " best + 1 in_function(inside[best])
	for (i = 1; i <= lines; i++)
		if (inside[i] == where && where != "?" && where != "")
			return "that begins at line " i
	return "nothing like it is in the file"
}

# beside: the nearest place with one of the neighbours, "" if there is none.
function beside(    i, best)
{
	best = ""
	for (i = 0; i <= lines; i++) {
		if (where != "?" ? inside[i] != where : behind != "" && label[i] != behind)
			continue
		if ((befores && text[i] == before[befores] && before[befores] ~ /[A-Za-z]/) ||
		    (afters && text[i + 1] == after[1] && after[1] ~ /[A-Za-z]/)) {
			if (best == "" || distance(i) < distance(best))
				best = i
		}
	}
	return best
}

function distance(i) { return at[i] > line_before ? at[i] - line_before : line_before - at[i] }

function exists(f,    i)
{
	for (i = 1; i <= lines; i++)
		if (inside[i] == f)
			return 1
	return 0
}

# why: the reason, and the nearest place.
function why(    k, s)
{
	if (!there)
		return "there is no such file"
	if (founds > 1) {
		s = "it fits in several places, at lines"
		for (k = 1; k <= founds; k++)
			s = s (k > 1 ? ", " : " ") found[k] + 1
		return s
	}
	if (founds == 1)
		return "it fits only at line " found[1] + 1 ", out of order"
	if (where != "?" && where != "" && !exists(where))
		return "there is no " where (where ~ / / ? "" : "()") " in this file; " nearest()
	return "the lines around it have changed; " nearest()
}

function lose(    k, reason, may_go)
{
	reason = why()
	may_go = partial && adds > 0 && !minus
	for (k = 1; k <= adds; k++)
		may_go = may_go && is_hook(add[k])
	print (may_go ? "left " : "lost ") file ":" line_before + 1 in_function(where) ": no place for this of " name ":" all_added() "\t    " reason
}

# --- the patch --------------------------------------------------------------

# in_body: whether what is added stands in a function.  At the left edge are only its
# labels; includes, Kconfig and Makefile have no functions.
function in_body(    k)
{
	for (k = 1; source_c && k <= adds; k++)
		if (add[k] != "")
			return add[k] ~ /^\t/ || add[k] ~ /^[A-Za-z0-9_]+:$/
	return 0
}

# A hunk's lines are in old[], with their kind in kind[]; hunk_inside is the function
# that its heading names.
function place_hunk(    i, k, line, state, last)
{
	line = hunk_line
	state = hunk_inside
	last = hunk_label
	no_body = 0
	for (i = 1; i <= hunk_lines; i++) {
		if (kind[i] == " ") {
			state = track(old[i], state)
			last = track_label(old[i], last)
			line++
			continue
		}
		take_piece(i)
		line_before = line - 1
		where = in_body() ? state : "?"
		if (where == "")
			where = "?"
		if ((where in instead) && !exists(where))
			where = instead[where]
		behind = in_body() ? last : ""
		k = no_body
		place_piece()
		no_body = k
		for (; i <= hunk_lines && kind[i] != " "; i++)
			if (kind[i] == "-")
				line++
		i--
	}
}

# take_piece: the piece that begins at line i of the hunk.
function take_piece(i,    j, n, up)
{
	split("", before)
	split("", after)
	befores = afters = adds = minus = hung = 0
	n = 0
	for (j = i - 1; j > 0 && n < 3; j--) {
		if (kind[j] == "-")
			continue
		if (is_own(old[j])) {
			if (!n)
				hung++
			continue
		}
		up[++n] = old[j]
	}
	befores = n
	for (j = 1; j <= n; j++)
		before[n - j + 1] = up[j]
	for (; i <= hunk_lines && kind[i] != " "; i++)
		if (kind[i] == "+")
			add[++adds] = old[i]
		else
			gone[++minus] = old[i]
	is_include = adds && add[1] ~ /^#include /
	for (; i <= hunk_lines && afters < 3; i++)
		if (kind[i] != "+" && !is_own(old[i]))
			after[++afters] = old[i]
}

function end_hunk()
{
	if (hunk_lines)
		place_hunk()
	hunk_lines = 0
}

function end_file()
{
	end_hunk()
	if (file != "" && there)
		write_file(work "/" file)
	file = ""
}

BEGIN {
	left_old = left_new = 0
	while (functions != "" && (getline line < functions) > 0)
		if (split(line, word, " ") == 2 && line !~ /^#/)
			instead[word[1]] = word[2]
}

left_old > 0 || left_new > 0 {
	if (/^\\/)
		next
	kind[++hunk_lines] = $0 == "" ? " " : substr($0, 1, 1)
	old[hunk_lines] = substr($0, 2)
	if (kind[hunk_lines] != "+")
		left_old--
	if (kind[hunk_lines] != "-")
		left_new--
	next
}
/^--- / { end_file(); next }
/^\+\+\+ b\// {
	file = substr($2, 3)
	source_c = file ~ /\.[ch]$/
	read_file(work "/" file)
	last_place = -1
	last_drift = 0
	next
}
/^@@ / {
	end_hunk()
	split($2, range, ",")
	hunk_line = -range[1]
	left_old = range[2] == "" ? 1 : range[2]
	split($3, range, ",")
	left_new = range[2] == "" ? 1 : range[2]
	heading = $0
	sub(/^@@[^@]*@@ ?/, "", heading)
	hunk_label = heading ~ /^[A-Za-z0-9_]+:/ ? heading : ""
	hunk_inside = heading ~ /^[A-Za-z_]/ && heading !~ /^[A-Za-z0-9_]+:/ ? head_name(heading) : "?"
	next
}
END {
	end_file()
	print "pieces " pieces + 0
}
