# SPDX-License-Identifier: GPL-2.0
# Draws the table of tests/dose/run: awk -v base=NAME -f plot.awk CSV
#
# Both axes are logarithmic, and have a place for 0 at their beginning.
BEGIN {
	FS = ","
	width = 760; height = 450
	left = 86; right = 24; top = 64; bottom = 132
	lowest = 0.01; highest = 1000
	color["reads"] = "#c0392b"; color["fixed"] = "#1e8449"; color["others"] = "#1f618d"
	color["race"] = "#7d3c98"
	title["reads"] = "reclaim held up between test and clear, reads only"
	title["fixed"] = "reclaim held up, and writes, with the fix"
	title["race"] = "reclaim held up, and writes; a cross where the race that btrfs has was reported"
	title["others"] = "all other points held up, and writes"
}

NR > 1 {
	if (!($2 in column)) {
		column[$2] = columns++
		dose[columns - 1] = $2
	}
	if (!($1 in row)) {
		row[$1] = rows++
		name[rows - 1] = $1
	}
	beside[$1, $2] = 1000 * $7 / $6
	repaired[$1, $2] = 1000 * $8 / $6
	if ($9)
		reported[$2] = 1
	boots++
	load += $3
	releases += $6
	judged += $4 + $5
	reports += $9
}

function x_of(us) { return left + (column[us] + 0.5) * (width - left - right) / columns }

# 0 has the place of a decade below the lowest one.
function y_of(value,    decades) {
	decades = log(highest / lowest) / log(10) + 1
	if (value <= 0)
		return height - bottom
	if (value < lowest)
		value = lowest
	return height - bottom - (height - top - bottom) * (log(value / lowest) / log(10) + 1) / decades
}

function text(x, y, anchor, size, words) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>\n", x, y, anchor, size, words
}

function line(x1, y1, x2, y2, style) {
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style
}

function curve(which, values, dash,    i, points, us) {
	for (i = 0; i < columns; i++) {
		us = dose[i]
		if (!((which, us) in values))
			continue
		points = points sprintf(" %.1f,%.1f", x_of(us), y_of(values[which, us]))
		printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", x_of(us),
			y_of(values[which, us]), dash == "" ? 4 : 3, dash == "" ? color[which] : "white", color[which]
	}
	printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", substr(points, 2),
		color[which], dash == "" ? "" : " stroke-dasharray=\"5 4\""
}

function axes(    value, i, us) {
	for (value = lowest; value <= highest * 1.01; value *= 10) {
		line(left, y_of(value), width - right, y_of(value), "stroke=\"#ddd\"")
		text(left - 8, y_of(value) + 4, "end", 12, value < 1 ? value "" : sprintf("%.0f", value))
	}
	line(left, y_of(0), width - right, y_of(0), "stroke=\"#333\"")
	text(left - 8, y_of(0) + 4, "end", 12, "0")
	for (i = 0; i < columns; i++) {
		us = dose[i]
		text(x_of(us), height - bottom + 18, "middle", 12, us >= 1000 ? us / 1000 " ms" : us ? us " &#181;s" : "no delay")
	}
	line(left, top, left, height - bottom, "stroke=\"#333\"")
}

function legend(y, which, words, dash) {
	line(left, y, left + 34, y, "stroke=\"" color[which] "\" stroke-width=\"2\"" (dash == "" ? "" : " stroke-dasharray=\"5 4\""))
	text(left + 42, y + 4, "start", 12, words)
}

# Where the race that btrfs has was reported.
function crosses(    i, x) {
	for (i = 0; i < columns; i++) {
		if (!reported[dose[i]])
			continue
		x = x_of(dose[i])
		line(x - 6, top - 2, x + 6, top + 10, "stroke=\"#7d3c98\" stroke-width=\"3\"")
		line(x - 6, top + 10, x + 6, top - 2, "stroke=\"#7d3c98\" stroke-width=\"3\"")
	}
}

END {
	printf "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- SPDX-License-Identifier: GPL-2.0 -->\n"
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n",
		width, height, width, height
	printf "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", width, height
	text(width / 2, 24, "middle", 16, "TREE_REF cleared while somebody has found the buffer, per 1,000 releases")
	text(width / 2, 44, "middle", 12, sprintf("%s, two CPUs, %d boots, %d s of load, %d releases, %d reads and writes: %d reports",
		base, boots, load, releases, judged, reports))
	axes()
	for (i = 0; i < rows; i++)
		curve(name[i], beside, "")
	crosses()
	curve("reads", repaired, "y")
	legend(height - 90, "reads", title["reads"], "")
	legend(height - 71, "reads", "of these repaired by the dance, the read had begun", "y")
	legend(height - 52, "others", title["others"], "")
	legend(height - 33, "race", title["race"], "")
	legend(height - 14, "fixed", title["fixed"], "")
	print "</svg>"
}
