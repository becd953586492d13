# SPDX-License-Identifier: GPL-2.0
# The table of model/run: reads model/claims, and what was asked with the files of results.

function result(file,    line, part) {
	if (file in known)
		return
	known[file]
	while ((getline line <(file ".result")) > 0) {
		split(line, part, " ")
		if (part[1] == "states") states[file] = part[2]
		if (part[1] == "broken") broken[file, part[2]]
		if (part[1] == "stuck") stuck[file]
	}
	close(file ".result")
	# What comes after a use of freed memory means nothing.
	if (((file, "ALIVE") in broken) || ((file, "FREED_DIRTY") in broken) || ((file, "FREED_READ") in broken))
		delete stuck[file]
}

function complain(words) { print "unexpected: " words >"/dev/stderr"; failed = 1 }

function row(first, cells,    i, line) {
	line = sprintf("%-22s", first)
	for (i = 1; i <= columns; i++)
		line = line sprintf(" %-11s", (kernel[i] in cells) ? cells[kernel[i]] : "-")
	sub(/ +$/, "", line)
	print line
}

BEGIN { columns = split(kernels, kernel, " ") }

FILENAME == ARGV[1] {
	if ($1 == "group") {
		split($0, field, / *\| */)
		title[field[2]] = field[4]
	}
	next
}

{
	group = $1
	if (!(group in seen)) { seen[group]; order[++groups] = group }
	if (!((group, $3) in claims)) { claims[group, $3]; claim[group, ++count[group]] = $3 }
	result($5)
	if (!($5 in states)) {
		complain(group " on " $2 " was not searched: " $5)
		next
	}
	found = (($5, $3) in broken) ? "broken" : "holds"
	cell[group, $3, $2] = found
	size[group, $2] = states[$5]
	if (found != $4)
		complain(group ": " $3 " on " $2 ": " found ", model/claims says " $4)
	if ($5 in stuck)
		complain(group " on " $2 ": the tasks can get stuck")
	cells++
	if (found == "holds" && NF > 5) {
		result($6)
		twins++
		if (!(($6, $3) in broken))
			complain(group ": " $3 " on " $2 " holds with an error planted, too: " $6)
	}
}

END {
	for (g = 1; g <= groups; g++) {
		group = order[g]
		print title[group]
		split("", line)
		for (i = 1; i <= columns; i++) line[kernel[i]] = kernel[i]
		row("  " group, line)
		for (c = 1; c <= count[group]; c++) {
			split("", line)
			for (i = 1; i <= columns; i++)
				if ((group, claim[group, c], kernel[i]) in cell)
					line[kernel[i]] = cell[group, claim[group, c], kernel[i]]
			row(claim[group, c], line)
		}
		split("", line)
		for (i = 1; i <= columns; i++)
			if ((group, kernel[i]) in size) line[kernel[i]] = size[group, kernel[i]]
		row("states", line)
		print ""
	}
	for (file in known) total += states[file]
	printf "%d cells, %d of them hold, each of these is broken by a planted error; %d models, %d states\n", \
		cells, twins, length(known), total
	exit failed
}
