// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: where the text of a recording comes from.
 *
 * What trace-cmd and perf write is decoded by themselves: they know the formats of all
 * their versions, and print names where a number of another kernel would be guessed at.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "trace.h"

static const struct decoder {
	const char *what;
	const char *magic;
	size_t len;
	const char *words[8];
} decoders[] = {
	{ "trace.dat", "\x17\x08\x44tracing", 10,
	  { "trace-cmd", "report", "-t", "-i" } },
	{ "perf.data", "PERFILE2", 8,
	  { "perf", "script", "--ns", "--show-lost-events", "-i" } },
};

/* Who prints our text, and what it is called. */
static pid_t child;
static const char *child_name;

static const struct decoder *decoder_of(const char *buf, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(decoders); i++)
		if (len >= decoders[i].len &&
		    !memcmp(buf, decoders[i].magic, decoders[i].len))
			return &decoders[i];
	return NULL;
}

static void __attribute__((noreturn)) decode(const struct decoder *decoder,
					     const char *name, int out)
{
	const char *argv[ARRAY_SIZE(decoder->words) + 2];
	unsigned int i;
	int null = open("/dev/null", O_RDONLY);

	for (i = 0; decoder->words[i]; i++)
		argv[i] = decoder->words[i];
	argv[i++] = name;
	argv[i] = NULL;
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execvp(argv[0], (char **)argv);
	_exit(127);
}

static void read_from_decoder(const struct decoder *decoder, const char *name)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("a pipe: %s", strerror(errno));
	child_name = decoder->words[0];
	child = fork();
	if (child < 0)
		fail("a process: %s", strerror(errno));
	if (!child)
		decode(decoder, name, ends[1]);
	close(ends[1]);
	if (dup2(ends[0], 0) < 0)
		fail("%s: %s", name, strerror(errno));
	close(ends[0]);
}

/**
 * open_source - let standard input be the text of a recording
 * @name: of a file that is text, a trace.dat or a perf.data; "-" is what is there
 */
void open_source(const char *name)
{
	const struct decoder *decoder;
	char magic[16];
	ssize_t got;
	int fd;

	if (!strcmp(name, "-"))
		return;
	fd = open(name, O_RDONLY);
	if (fd < 0 || dup2(fd, 0) < 0)
		fail("%s: %s", name, strerror(errno));
	close(fd);
	/* A pipe by name can't be looked at without taking from it. */
	got = pread(0, magic, sizeof(magic), 0);
	decoder = got > 0 ? decoder_of(magic, got) : NULL;
	if (decoder)
		read_from_decoder(decoder, name);
}

/**
 * must_be_text - fail if what was read from standard input is none
 * @name: of the input
 * @buf: its beginning
 * @len: so many bytes
 */
void must_be_text(const char *name, const char *buf, size_t len)
{
	const struct decoder *decoder = decoder_of(buf, len);

	if (decoder)
		fail("%s: is a %s, which %s must read: give it as a file", name,
		     decoder->what, decoder->words[0]);
	if (!len && !child)
		fail("%s: is empty", name);
}

/**
 * close_source - the text has come to its end; was that the end of the recording?
 * @name: of the input
 */
void close_source(const char *name)
{
	int status;

	if (!child)
		return;
	if (waitpid(child, &status, 0) < 0)
		fail("%s: %s", child_name, strerror(errno));
	child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		fail("%s: only %s can read this, and that is not installed", name,
		     child_name);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("%s: %s could not read it to its end", name, child_name);
}
