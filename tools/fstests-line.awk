# SPDX-License-Identifier: GPL-2.0
# A line of what tools/fstests.awk says of a test, for people.

{
	figures = $4 == "-" ? "" : sprintf("%7d reads %7d writes %8d puts %9d judged %s", $4, $5, $6, $8,
					     $9 ? $9 " REPORTS" : "0 reports")
	line = sprintf("%-12s %-6s %7.1f s %s", $1, $2, $3, $2 == "notrun" ? "" : figures)
	if ($10 != "")
		line = line "  " $10
	sub(/ +$/, "", line)
	print line
	fflush()
}
