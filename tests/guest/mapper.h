/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of the device mapper, for workloads that exchange what is behind a file
 * system, or need many disks.  The Nth that is created is /dev/dm-N, from 0.
 */
#ifndef MAPPER_H
#define MAPPER_H

#include <stdint.h>

/* One piece of a table: what stands behind the sectors from @start to @end. */
struct piece {
	uint64_t start;
	uint64_t end;
	const char *type;
	const char *params;
};

void open_mapper(void);
uint64_t disk_sectors(const char *disk);
void mapper_create(const char *name);
void mapper_suspend(const char *name);
void mapper_load(const char *name, const struct piece *pieces, int count);

#endif /* MAPPER_H */
