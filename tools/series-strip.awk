# SPDX-License-Identifier: GPL-2.0
# The guard's knobs without its trace events, as a step of the series: leaves out the
# functions that are there for them, their definition, and all calls.

# A piece begins after an empty line outside of functions.
function flush()
{
	if (piece != "" && piece !~ /CREATE_TRACE_POINTS|[ *](note_reg|note_unreg|trace)\([^;]*\n\{/)
		printf "%s", piece
	piece = ""
}

/^\{/ { inside = 1 }

# The block of an "if an event is on".
skip != "" {
	if ($0 == skip "}")
		skip = ""
	next
}
/^\t+if \(trace_btrfs_eb_[a-z_]+_enabled\(\)\) \{$/ {
	skip = $0
	sub(/if .*/, "", skip)
	next
}
/^\t+trace(_btrfs_eb_[a-z_]+)?\(.*\);$/ && piece !~ /[ *]trace\([^;]*\n\{/ { next }

{ piece = piece $0 "\n" }
/^\}/ { inside = 0 }
/^$/ && !inside { flush() }
END { flush() }
