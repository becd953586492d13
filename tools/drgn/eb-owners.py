#!/usr/bin/env drgn
# SPDX-License-Identifier: GPL-2.0
"""Who holds the extent buffers in a core of the kernel?

    drgn -c VMCORE -s VMLINUX [-s BTRFS.KO] eb-owners.py [owners|buffers]
    drgn eb-owners.py [owners|buffers]        the running kernel

Prints what the files "owners" and "buffers" of the guard's directory in debugfs would
have printed at that moment, from the structs alone: include/linux/eb_debug_types.h and
fs/btrfs/eb_debug_internal.h.  A task that was in a hook when the core was made may have
one reference more, or less, than it says.  Exit status 1: this kernel has no guard, or
the symbols are not its own.
"""

import sys
import uuid

from drgn import FaultError, Object, cast
from drgn.helpers.linux.list import list_for_each


def die(*lines):
    for line in lines:
        print("eb-owners:", line, file=sys.stderr)
    sys.exit(1)


def value(counter):
    """Of an atomic_t, or of a refcount_t, which is one with a name of its own."""
    if counter.type_.type_name() == "refcount_t":
        counter = counter.refs
    return counter.counter.value_()


class Guard:
    """What the guard knows of all buffers and tasks."""

    def __init__(self, prog):
        self.prog = prog
        try:
            self.live = prog["eb_live"]
            self.tasks = prog["eb_tasks"]
        except KeyError:
            die(
                "there is no guard in these symbols",
                "is it a kernel with CONFIG_BTRFS_EB_DEBUG, and is btrfs.ko given, if it is one?",
            )
        names = prog.type("enum eb_debug_kind").enumerators
        self.kinds = {e.value: e.name[len("EB_KIND_") :].lower() for e in names}
        self.nr_structures = prog.constant("EB_KIND_STRUCTURES").value_()
        # Its value is that of the first kind of a task.
        self.kinds[self.nr_structures] = "new"
        self.read = prog.constant("EB_KIND_READ").value_()
        self.irq = prog.constant("EB_KIND_IRQ").value_()
        self.flags = [
            (e.name[len("EXTENT_BUFFER_") :], e.value)
            for e in prog.constant("EXTENT_BUFFER_DIRTY").type_.enumerators
        ]
        self.now = prog["jiffies_64"].value_()
        self.tick_ns = prog["tick_nsec"].value_()
        # Addresses are kept as low halves; this one is in btrfs as well.
        self.near = prog.symbol("btrfs_eb_owner_walk").address

    def function(self, low):
        """The name of the function that a low half is in."""
        if not low:
            return "unknown"
        ahead = (low - self.near) & 0xFFFFFFFF
        if ahead >= 1 << 31:
            ahead -= 1 << 32
        try:
            return self.prog.symbol(self.near + ahead).name.split(".")[0]
        except LookupError:
            return hex(self.near + ahead)

    def age(self, when):
        """How many jiffies ago that was; what is kept of it is the low half."""
        return (self.now - when) & 0xFFFFFFFF

    def ms(self, age):
        return age * self.tick_ns // 1000000

    def buffers(self):
        """All live ones, oldest first, without the marks of who reads the list."""
        marks = set()
        for pos in list_for_each(self.live.marks.address_of_()):
            mark = cast("unsigned long", pos) - offset(self.prog, "struct eb_mark", "marks")
            marks.add(mark.value_() + offset(self.prog, "struct eb_mark", "live"))
        record = offset(self.prog, "struct extent_buffer", "debug")
        record += offset(self.prog, "struct btrfs_eb_debug", "live")
        for pos in list_for_each(self.live.list.address_of_()):
            if pos.value_() not in marks:
                yield Object(self.prog, "struct extent_buffer *", value=pos.value_() - record)

    def structures(self, eb):
        """(kind, count, site, age) of each kind of structure that holds this buffer."""
        record = eb.debug
        counts = record.structures.counter.value_()
        for kind in range(self.nr_structures):
            count = counts >> 8 * kind & 0xFF
            if kind == 0:
                count = eb.bflags.value_() >> dict(self.flags)["TREE_REF"] & 1
            if not count or kind == self.irq:
                continue
            if kind < self.irq:
                taken = record.kinds[kind]
                yield kind, count, taken.at.value_(), self.age(taken.when.value_())
            else:
                at = self.prog["eb_taken_at"][kind - self.read].value_()
                yield kind, count, at, self.age(record.taken_when.value_())

    def held(self):
        """Each reference that a task holds: struct eb_held."""
        epoch = self.prog["btrfs_eb_epoch"].value_()
        claimed = self.prog["eb_claimed"]
        bits = 8 * self.prog.type("unsigned long").size
        for i in range(len(claimed) * bits):
            if not claimed[i // bits].value_() >> i % bits & 1:
                continue
            task = self.tasks[i]
            if not epoch or task.epoch.value_() != epoch:
                continue
            # The first entry is the bottom, and never a reference.
            top = (task.top - task.held).value_()
            for nr in range(1, top + 1):
                yield task.held[nr]


def offset(prog, type_name, member):
    """offsetof() by name."""
    for m in prog.type(type_name).members:
        if m.name == member:
            return m.bit_offset // 8
    raise LookupError(f"{type_name} has no {member}")


def print_owners(guard):
    groups = {}

    def add(kind, count, site, age):
        key = guard.kinds[kind], guard.function(site)
        was = groups.get(key, (0, age))
        groups[key] = was[0] + count, max(was[1], age)

    for eb in guard.buffers():
        for owner in guard.structures(eb):
            add(*owner)
    for held in guard.held():
        add(held.kind.value_(), 1, held.site.value_(), guard.age(held.when.value_()))
    for (kind, site), (count, age) in sorted(groups.items(), key=lambda g: (-g[1][0], -g[1][1])):
        print(f"count={count} kind={kind} site={site} oldest_ms={guard.ms(age)}")


def fsid(eb):
    return uuid.UUID(bytes=bytes(eb.fs_info.fs_devices.fsid.value_()))


def print_buffers(guard):
    held_of = {}
    for held in guard.held():
        key = held.eb.value_(), held.serial.value_()
        owner = held.kind.value_(), 1, held.site.value_(), guard.age(held.when.value_())
        held_of.setdefault(key, []).append(owner)
    for eb in guard.buffers():
        record = eb.debug
        key = eb.value_(), record.serial.value_()
        owners = [*guard.structures(eb), *held_of.get(key, [])]
        owners.sort(key=lambda owner: -owner[3])
        words = [
            f"{guard.kinds[kind]}:{guard.function(site)}" + (f"*{count}" if count > 1 else "")
            for kind, count, site, _ in owners
        ]
        bits = eb.bflags.value_()
        flags = [name for name, bit in guard.flags if bits >> bit & 1]
        io_pages = value(eb.io_pages) if hasattr(eb, "io_pages") else 0
        owner = record.owner.value_()
        print(
            f"start={eb.start.value_()} level={record.level.value_()}",
            f"owner={owner - (owner >> 63 << 64)} generation={record.generation.value_()}",
            f"refs={value(eb.refs)} io_pages={io_pages} flags={'|'.join(flags) or '-'}",
            f"owners={','.join(words) or '-'} fsid={fsid(eb)}",
        )


def main(prog, args):
    views = {"owners": print_owners, "buffers": print_buffers}
    if len(args) > 1 or (args and args[0] not in views):
        die("usage: drgn -c VMCORE -s VMLINUX [-s BTRFS.KO] eb-owners.py [owners|buffers]")
    try:
        views[args[0] if args else "owners"](Guard(prog))
    except (FaultError, LookupError) as error:
        die(f"the core can't be read with these symbols: {error}", "are they this kernel's?")


main(prog, sys.argv[1:])  # noqa: F821, drgn's own
