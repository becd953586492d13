// SPDX-License-Identifier: GPL-2.0
/*
 * How fast does the time stamp counter of this machine count, in kHz?
 *
 * For the host: QEMU gives its counter to the guest as it is, and a guest that finds
 * the speed out for itself is far off when the host is busy at that moment.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct moment {
	uint64_t ns;
	uint64_t tsc;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Both clocks at one moment: of some tries the one that was interrupted least. */
static struct moment look(void)
{
	struct moment best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 50; i++) {
		uint64_t before = now_ns(), tsc = __builtin_ia32_rdtsc(), after = now_ns();

		if (after - before >= shortest)
			continue;
		shortest = after - before;
		best = (struct moment){ .ns = before + shortest / 2, .tsc = tsc };
	}
	return best;
}

int main(void)
{
	struct moment from = look(), to;

	nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	to = look();
	printf("%.0f\n", (double)(to.tsc - from.tsc) * 1e6 / (double)(to.ns - from.ns));
	return 0;
}
