// SPDX-License-Identifier: GPL-2.0
/*
 * What the guard's files make of what is no word of theirs: text, no text, too much text,
 * in pieces, from many at once and from somebody who is not root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guest.h"

/* Longer than anything that a file takes. */
#define HUGE_TEXT	(1 << 20)
#define SHORT_TEXT	48
/* So few bytes that every line is cut. */
#define PIECE		7
#define NOBODY		65534
#define OWNERS		GUARD "/owners"

static const struct guard_file {
	const char *path;
	mode_t mode;
	/* Write only: nothing; what it takes; a text that is like it and is refused. */
	const char *good, *bad;
} guard_files[] = {
	{ PARAMS "/eb_debug", 0644, "stacks", "stack" },
	{ PARAMS "/eb_debug_coverage", 0644, "N", "2" },
	{ GUARD "/stats", 0400, NULL, NULL },
	{ GUARD "/coverage", 0400, NULL, NULL },
	{ GUARD "/buffers", 0400, NULL, NULL },
	{ OWNERS, 0600, "clear", "dump=x" },
	{ GUARD "/schedule", 0600, "\n", "writer nowhere" },
	{ GUARD "/delay/at", 0600, "\n", "nowhere" },
	{ GUARD "/delay/us", 0600, "0", "-" },
	{ GUARD "/fail/at", 0600, "\n", "put" },
};

static long refused, taken, compared;

/* An address of the kernel: sixteen hex digits, the first of which are all ones. */
static bool has_address(const char *text)
{
	while ((text = strstr(text, "ffff"))) {
		size_t digits = strspn(text, "0123456789abcdef");

		if (digits >= 16)
			return true;
		text += digits;
	}
	return false;
}

static const char *text_in(const char *path)
{
	static char text[1 << 16];

	if (get_file(path, text, sizeof(text)) < 0)
		die("reading %s", path);
	if (has_address(text))
		die("%s shows an address of the kernel", path);
	return text;
}

/* One write(2) of these bytes; the error, or 0. */
static int try_write(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY), error = 0;

	if (fd < 0)
		die("opening %s", path);
	if (write(fd, bytes, size) < 0)
		error = errno;
	close(fd);
	return error;
}

/* They are refused with one of these errors, and the file says what it said. */
static void refuses(const char *path, const void *bytes, size_t size, int error, int or_error)
{
	char *before = strdup(text_in(path));
	int got = try_write(path, bytes, size);

	if (got != error && got != or_error)
		die("%zu bytes to %s: error %d and not %d", size, path, got, error);
	/* The owners grow older. */
	if (strcmp(before, text_in(path)) && strcmp(path, OWNERS))
		die("%zu bytes to %s: refused, and something has changed", size, path);
	free(before);
	refused++;
}

static void refuse_text(const struct guard_file *file)
{
	static char huge[HUGE_TEXT];

	if (!file->good) {
		int fd = open(file->path, O_WRONLY);

		/* Root may open what has no way to be written to. */
		if (fd >= 0 && (write(fd, "1", 1) >= 0 || errno != EINVAL))
			die("%s can be written to", file->path);
		if (fd >= 0)
			close(fd);
		return;
	}
	refuses(file->path, file->bad, strlen(file->bad), EINVAL, EINVAL);
	memset(huge, 'x', sizeof(huge));
	refuses(file->path, huge, sizeof(huge), EINVAL, E2BIG);
	refuses(file->path, (void *)8, 8, EFAULT, EFAULT);
	if (try_write(file->path, file->good, strlen(file->good)))
		die("'%s' to %s is refused", file->good, file->path);
	taken++;
}

/* Random bytes, half of them letters that words are made of. */
static void random_text(char *text, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_=0123456789 ,\n";

	for (size_t i = 0; i < size; i++)
		text[i] = random() % 2 ? random() : letters[random() % (sizeof(letters) - 1)];
}

/* By far most are refused; what is taken by chance is a word that the file knows. */
static void write_random(const struct guard_file *file, long number)
{
	char text[SHORT_TEXT];

	for (long i = 0; i < number; i++) {
		size_t size = random() % sizeof(text);
		int error;

		random_text(text, size);
		error = try_write(file->path, text, size);
		if (error && error != EINVAL && error != E2BIG && error != ENOENT &&
		    error != ERANGE)
			die("random bytes to %s: error %d", file->path, error);
		refused += error != 0;
		taken += error == 0;
	}
}

/* It takes words; the others take a letter that a truth value begins with, or a number. */
static bool in_words(const struct guard_file *file)
{
	return !strncmp(file->path, GUARD, strlen(GUARD)) && strcmp(file->path, GUARD "/delay/us");
}

/* A word that comes byte by byte is so many words, none of which is one. */
static void write_in_pieces(const struct guard_file *file)
{
	const char *word = "writer nowhere";
	int fd = open(file->path, O_WRONLY);

	for (const char *at = word; *at; at++)
		if (write(fd, at, 1) >= 0 && *at != ' ')
			die("'%c' is taken by %s", *at, file->path);
	close(fd);
}

/* All of an open file by reads of a few bytes. */
static void read_by_bytes(const struct guard_file *file, int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got = 0;

	while (used < size - PIECE && (got = read(fd, text + used, PIECE)) > 0)
		used += got;
	if (got < 0)
		die("reading %s in pieces", file->path);
	text[used] = 0;
}

/* By reads of a few bytes, from the middle, and nothing behind its end. */
static void read_in_pieces(const struct guard_file *file, char *pieces, char *rest, size_t size)
{
	int fd = open(file->path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		die("opening %s", file->path);
	read_by_bytes(file, fd, pieces, size);
	/* Of one number the kernel gives all or nothing. */
	if (lseek(fd, 3, SEEK_SET) < 0 && errno == ESPIPE) {
		snprintf(rest, size, "%s", strlen(pieces) > 3 ? pieces + 3 : "");
		close(fd);
		return;
	}
	if (lseek(fd, 0, SEEK_CUR) != 3)
		die("going to the fourth byte of %s", file->path);
	got = read(fd, rest, size - 1);
	if (got < 0)
		die("reading %s from its fourth byte", file->path);
	rest[got] = 0;
	if (pread(fd, rest + got, size - got, 1L << 40) > 0)
		die("%s has something far behind its end", file->path);
	close(fd);
}

static void read_while_it_changes(const struct guard_file *file)
{
	static char pieces[1 << 16], rest[1 << 16];

	read_in_pieces(file, pieces, rest, sizeof(pieces));
}

/* The pieces are what the file says at once, if it says the same before and after. */
static void compare_pieces(const struct guard_file *file)
{
	static char pieces[1 << 16], rest[1 << 16];

	/* The owners grow older. */
	if (!strcmp(file->path, OWNERS)) {
		read_while_it_changes(file);
		return;
	}
	for (int tries = 20; tries; tries--) {
		char *before = strdup(text_in(file->path));
		bool same;

		read_in_pieces(file, pieces, rest, sizeof(pieces));
		same = !strcmp(before, text_in(file->path));
		if (same && strcmp(before, pieces))
			die("%s says something else in pieces", file->path);
		/* One read gives no more than a page or a few lines of it. */
		if (same && (!*rest != (strlen(before) <= 3) ||
			     (*rest && strncmp(before + 3, rest, strlen(rest)))))
			die("%s says something else from its fourth byte on", file->path);
		free(before);
		if (same) {
			compared++;
			return;
		}
	}
	die("%s never says the same twice", file->path);
}

static void as_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		die("becoming nobody");
	for (size_t i = 0; i < ARRAY_SIZE(guard_files); i++) {
		const struct guard_file *file = &guard_files[i];

		if (open(file->path, O_WRONLY) >= 0 || errno != EACCES)
			die("nobody may write to %s", file->path);
		if (!(file->mode & 0004) && (open(file->path, O_RDONLY) >= 0 || errno != EACCES))
			die("nobody may read %s", file->path);
	}
}

static void check_modes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(guard_files); i++) {
		struct stat st;

		if (stat(guard_files[i].path, &st))
			die("there is no %s", guard_files[i].path);
		if ((st.st_mode & 07777) != guard_files[i].mode)
			die("%s has mode %o", guard_files[i].path, st.st_mode & 07777);
	}
}

static void garbage_for_ever(void)
{
	for (;;)
		for (size_t i = 0; i < ARRAY_SIZE(guard_files); i++) {
			if (guard_files[i].good)
				write_random(&guard_files[i], 20);
			read_while_it_changes(&guard_files[i]);
		}
}

static void change_files(void)
{
	for (int round = 0;; round++) {
		touch_files(MNT "/d", 0, 100, round);
		sync_fs();
		reclaim();
	}
}

/*
 * garbage: each file of the guard's by itself, then all of them from three tasks while the
 * file system works.
 */
static void run_garbage(void)
{
	pid_t load, writers[3];
	int seconds = option_number("seconds", 5);

	srandom(option_number("seed", 1));
	mount_disk(NULL);
	make_files(MNT "/d", 0, 100);
	check_modes();
	for (size_t i = 0; i < ARRAY_SIZE(guard_files); i++) {
		refuse_text(&guard_files[i]);
		compare_pieces(&guard_files[i]);
		if (!guard_files[i].good)
			continue;
		write_random(&guard_files[i], 1000);
		if (in_words(&guard_files[i]))
			write_in_pieces(&guard_files[i]);
	}
	/* The directory itself is root's; what each file says about it is tried as well. */
	if (chmod(DEBUGFS, 0755) || wait_for(spawn(as_nobody)))
		die("what nobody may do");
	load = spawn(change_files);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		writers[i] = spawn(garbage_for_ever);
	sleep(seconds);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		stop_worker(writers[i]);
	stop_worker(load);
	put_file(GUARD "/schedule", "\n");
	put_file(GUARD "/delay/at", "\n");
	put_file(GUARD "/fail/at", "\n");
	put_file(PARAMS "/eb_debug", "off");
	put_file(PARAMS "/eb_debug", "guard");
	read_tree(MNT);
	umount_disk();
	verdict("texts_refused %ld", refused);
	verdict("texts_taken %ld", taken);
	check("texts_refused", refused, 5000);
	check("texts_taken", taken, ARRAY_SIZE(guard_files) - 3);
	check("files_compared", compared, ARRAY_SIZE(guard_files) - 1);
}

/* Opening the file is refused, by lockdown and not by its mode: for this we are root. */
static bool is_shut(const char *path, int how)
{
	int fd = open(path, how);

	if (fd >= 0) {
		close(fd);
		return false;
	}
	if (errno != EPERM)
		die("opening %s", path);
	return true;
}

/*
 * locked_down: a kernel that not even root may change.  What tells can be read, what
 * changes something can't be opened, and the level is a parameter like others.
 */
static void run_locked_down(void)
{
	int shut = 0, told = 0;

	mount_disk(NULL);
	make_files(MNT "/d", 0, 100);
	sync_fs();
	reclaim();
	read_tree(MNT);
	for (size_t i = 0; i < ARRAY_SIZE(guard_files); i++) {
		const struct guard_file *file = &guard_files[i];

		if (strncmp(file->path, GUARD, strlen(GUARD)))
			continue;
		if (!is_shut(file->path, O_WRONLY))
			die("%s can be written to", file->path);
		if (file->mode & 0222 && !is_shut(file->path, O_RDONLY))
			die("%s can be opened", file->path);
		shut += file->mode & 0222 ? 1 : 0;
		told += file->mode & 0222 ? 0 : !!*text_in(file->path);
	}
	put_file(PARAMS "/eb_debug", "off");
	put_file(PARAMS "/eb_debug", "guard");
	umount_disk();
	check("files_shut", shut, 5);
	check("files_told", told, 3);
}

const struct workload garbage_workloads[] = {
	{ "garbage", run_garbage },
	{ "locked_down", run_locked_down },
	{ NULL, NULL }
};
