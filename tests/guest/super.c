// SPDX-License-Identifier: GPL-2.0
/*
 * The super block as it lies on the disk, past what the kernel keeps of it in memory,
 * and the checksum that it and each tree block begins with.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"

#define SUPER_OFFSET	65536
#define SUPER_MAGIC	0x40
#define CSUM_SIZE	32

static unsigned char piece[SUPER_SIZE] __attribute__((aligned(SUPER_SIZE)));

void get_super(const char *disk, unsigned char *super)
{
	int fd = open(disk, O_RDONLY | O_DIRECT);

	if (fd < 0 || pread(fd, piece, SUPER_SIZE, SUPER_OFFSET) != SUPER_SIZE ||
	    memcmp(piece + SUPER_MAGIC, "_BHRfS_M", 8))
		die("reading the super block");
	memcpy(super, piece, SUPER_SIZE);
	close(fd);
}

void put_super(const char *disk, const unsigned char *super)
{
	int fd = open(disk, O_WRONLY | O_DIRECT);

	memcpy(piece, super, SUPER_SIZE);
	if (fd < 0 || pwrite(fd, piece, SUPER_SIZE, SUPER_OFFSET) != SUPER_SIZE || fsync(fd))
		die("writing the super block");
	close(fd);
}

uint64_t super_value(const unsigned char *super, size_t at)
{
	uint64_t value;

	memcpy(&value, super + at, sizeof(value));
	return value;
}

bool log_on_disk(const char *disk)
{
	unsigned char super[SUPER_SIZE];

	get_super(disk, super);
	return super_value(super, SUPER_LOG_ROOT) != 0;
}

static uint32_t crc32c(const unsigned char *data, size_t len)
{
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Give a super block or a tree block the checksum of its content. */
void sign_block(unsigned char *block, size_t size)
{
	uint32_t csum = crc32c(block + CSUM_SIZE, size - CSUM_SIZE);

	memcpy(block, &csum, sizeof(csum));
}
