// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: how it takes files that somebody has spoiled.
 *
 * Only in a build with EB_TRACE_FUZZ.  Each mutated file is read by a process of its own,
 * by one command after the other, and must end by itself, with a status that it may have.
 */
#ifdef EB_TRACE_FUZZ
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "trace.h"

/* What sanitizers find must not look like what the tool finds. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "exitcode=99:detect_leaks=0:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void)
{
	return "exitcode=99:print_stacktrace=1";
}

/* A recording that is being spoiled. */
#define MAX_FILE	(1 << 20)

static char original[MAX_FILE], spoiled[2 * MAX_FILE];
static size_t length;

static u64 state;

static u32 any(u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (state >> 16) % below : 0;
}

static size_t line_at(size_t at)
{
	while (at && spoiled[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(size_t at, size_t len)
{
	while (at < len && spoiled[at] != '\n')
		at++;
	return at < len ? at + 1 : len;
}

/* Lines go, come twice, or change places. */
static size_t spoil_lines(size_t len)
{
	size_t from = line_at(any(len)), to = line_end(from, len);
	size_t other = line_at(any(len));
	char line[8192];

	if (to - from > sizeof(line))
		return len;
	memcpy(line, spoiled + from, to - from);
	if (any(3)) {
		memmove(spoiled + from, spoiled + to, len - to);
		len -= to - from;
		if (any(2))
			return len;
		if (other > len)
			other = len;
	}
	memmove(spoiled + other + (to - from), spoiled + other, len - other);
	memcpy(spoiled + other, line, to - from);
	return len + (to - from);
}

/* A number becomes another one, or a value that of another line. */
static size_t spoil_value(size_t len)
{
	static const char * const values[] = {
		"0", "1", "-1", "2147483647", "-2147483648", "4294967295",
		"18446744073709551615", "", "get", "put", "TREE_REF|TREE_REF", "|",
		"extra", "unknown", "irq", "tree", "refs_lock", "unmount",
	};
	const char *value = values[any(ARRAY_SIZE(values))];
	size_t at = any(len), end, new = strlen(value);

	while (at < len && spoiled[at] != '=')
		at++;
	if (at >= len)
		return len;
	end = ++at;
	while (end < len && spoiled[end] != ' ' && spoiled[end] != '\n')
		end++;
	memmove(spoiled + at + new, spoiled + end, len - end);
	memcpy(spoiled + at, value, new);
	return len - (end - at) + new;
}

static size_t spoil(void)
{
	size_t len = length;
	unsigned int times = 1 + any(6);

	memcpy(spoiled, original, length);
	while (times-- && len) {
		switch (any(6)) {
		case 0:
			spoiled[any(len)] ^= 1 << any(8);
			break;
		case 1:
			spoiled[any(len)] = any(256);
			break;
		case 2:
			len = any(8) ? len : any(len);
			break;
		case 3:
			len = spoil_lines(len);
			break;
		default:
			len = spoil_value(len);
			break;
		}
	}
	return len;
}

/* Reads the file by one of the commands, in a process of its own. */
static void child(int fd, unsigned int which, int (*run)(int argc, char **argv))
{
	static const char * const commands[][4] = {
		{ "eb-trace", "replay", NULL }, { "eb-trace", "left", NULL },
		{ "eb-trace", "buffer", "serial=2", NULL },
		{ "eb-trace", "draw", "serial=2", NULL },
	};
	char **argv = (char **)commands[which % ARRAY_SIZE(commands)];
	int null = open("/dev/null", O_WRONLY), argc = 0;

	while (argv[argc])
		argc++;
	lseek(fd, 0, SEEK_SET);
	dup2(fd, 0);
	dup2(null, 1);
	alarm(20);
	exit(run(argc, argv));
}

static bool survives(size_t len, unsigned int which,
		     int (*run)(int argc, char **argv))
{
	int status, fd = memfd_create("spoiled", 0);
	pid_t pid;

	if (fd < 0 || write(fd, spoiled, len) != (ssize_t)len)
		fail("no room for a mutated file");
	pid = fork();
	if (!pid)
		child(fd, which, run);
	close(fd);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) <= FAILED;
}

/**
 * fuzz - mutate a recording and read it
 * @argc: of the command line
 * @argv: fuzz TIMES SEED FILE BAD
 * @run: reads standard input as a command line says
 *
 * Return: exit status.
 */
int fuzz(int argc, char **argv, int (*run)(int argc, char **argv))
{
	unsigned long i, times;
	FILE *file;
	size_t len;

	if (argc != 6)
		fail("fuzz TIMES SEED FILE BAD");
	times = strtoul(argv[2], NULL, 10);
	file = fopen(argv[4], "r");
	if (!file)
		fail("%s can't be read", argv[4]);
	length = fread(original, 1, sizeof(original) / 2, file);
	fclose(file);
	/* What is refused is told by each process; nobody reads that. */
	for (i = 0; i < times; i++) {
		state = (strtoull(argv[3], NULL, 10) + i) * 0x9e3779b97f4a7c15ULL + 1;
		any(2);
		len = spoil();
		if (survives(len, i, run))
			continue;
		file = fopen(argv[5], "w");
		if (file) {
			fwrite(spoiled, 1, len, file);
			fclose(file);
		}
		printf("file %lu, command %lu did not end well\n", i, i % 4);
		return 1;
	}
	printf("%lu mutated files\n", times);
	return 0;
}
#endif
