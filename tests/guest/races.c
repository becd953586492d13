// SPDX-License-Identifier: GPL-2.0
/*
 * Races, replayed: a schedule tells the kernel which task runs until which point
 * (fs/btrfs/eb_debug_points.c), and plain operations on files are what runs.  A
 * schedule needs a buffer in a certain state, so it is begun again until it met one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"

#define SCHEDULE	GUARD "/schedule"

/* Files of a subvolume that is made and deleted again, and of one that stays. */
#define PASSING_FILES	300
#define STAYING_FILES	300
#define PASSES		8

/* So many blocks are tried until their buffers are all released. */
#define ROUNDS		100

/* So often the fixed kernel must keep a buffer that was found behind reclaim's test. */
#define REFUSALS	2

/* All cgroups: what btrfs's own threads have read is charged to none of them. */
#define RECLAIM_ALL	"/sys/fs/cgroup/memory.reclaim"

static char schedule_text[4096];

static void read_schedule(void)
{
	if (get_file(SCHEDULE, schedule_text, sizeof(schedule_text)) < 0)
		die("reading the schedule: this kernel has no points");
}

static void set_schedule(const char *text)
{
	put_file(SCHEDULE, text);
}

/* What the kernel says behind "key: " of the schedule, 0 if it does not. */
static unsigned long long schedule_value(const char *key)
{
	const char *at;

	read_schedule();
	at = strstr(schedule_text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool schedule_done(void)
{
	return schedule_value("done: ");
}

/* So many steps of this round were made. */
static int steps_made(void)
{
	const char *at = schedule_text;
	int made = 0;

	read_schedule();
	while ((at = strstr(at, " pid="))) {
		made++;
		at++;
	}
	return made;
}

/* The rest of the line of @text that has @key, "" if there is none. */
static const char *line_with(char *text, const char *key)
{
	char *at = strstr(text, key);
	char *end = at ? strchr(at, '\n') : NULL;

	if (end)
		*end = 0;
	return at ? at : "";
}

/* Until so many steps were made, or the round is over, or time is. */
static void await_steps(int steps, double limit)
{
	while (steps_made() < steps && !schedule_value("given_up: ") && now() < limit)
		usleep(1000);
}

/* Had the buffer that flag when it came to the step that ends in @where? */
static bool had_flag(const char *where, const char *flag)
{
	const char *line;

	read_schedule();
	line = line_with(schedule_text, where);
	if (!*line)
		die("the schedule has no step '%s'", where);
	return strstr(line, flag);
}

/* What the kernel says of the schedule, for the host. */
static void tell_schedule(void)
{
	char *line, *rest = schedule_text;

	read_schedule();
	while ((line = strsep(&rest, "\n")))
		if (*line)
			verdict("schedule %s", line);
}

/* What the guard says of this buffer, "" if it is not in memory. */
static const char *buffer_line(unsigned long long start)
{
	static char buffers[4 << 20];
	char key[64];

	if (get_file(GUARD "/buffers", buffers, sizeof(buffers)) < 0)
		die("reading the buffers");
	snprintf(key, sizeof(key), "start=%llu ", start);
	return line_with(buffers, key);
}

/* Has this buffer no reference but the tree's, and is it clean? */
static bool is_idle(unsigned long long start)
{
	const char *line = buffer_line(start);

	return strstr(line, " refs=1 ") && !strstr(line, "DIRTY") &&
	       !strstr(line, "STALE");
}

/* What a round came to: all of its steps, or a buffer that reclaim has left alone. */
enum outcome { MISSED, KEPT, DONE };

/* In what state another task has a buffer when reclaim is to clear its TREE_REF. */
#define DIRTIED		"DIRTY"
#define UNDER_READ	" io_pages=1 "

/*
 * Were so many steps made, and is reclaim, which we are, back from the one before?
 * That is where it stands between its test and its clear, until others have found the
 * buffer and brought it into that state.  If the buffer has TREE_REF now, reclaim has
 * left it alone: had it been cleared, there were one step more.
 */
static bool is_kept(int steps, const char *state)
{
	char pid[32];
	const char *line;

	if (steps_made() != steps)
		return false;
	snprintf(pid, sizeof(pid), "pid=%d ", getpid());
	if (!strstr(line_with(schedule_text, "reclaim release "), pid))
		return false;
	line = buffer_line(schedule_value("start: "));
	if (!strstr(line, state) || !strstr(line, "TREE_REF"))
		return false;
	return steps_made() == steps;
}

static void reclaim_all(void)
{
	reclaim();
	if (!access(RECLAIM_ALL, F_OK) && !try_put_file(RECLAIM_ALL, "1G") && errno != EAGAIN)
		die("reclaiming memory of all cgroups");
}

/* Beside us: one pass may go on for seconds after it has come to the buffer. */
static void reclaim_often(void)
{
	for (int pass = 0; pass < 10; pass++)
		reclaim_all();
}

/* Reclaim until so many steps were made or the round is over. */
static void reclaim_until(int steps, double limit)
{
	pid_t reclaimer = spawn(reclaim_often);

	await_steps(steps, limit);
	stop(reclaimer);
}

/*
 * The points are on from here to the end, by a delay that never comes: QEMU may run
 * into a breakpoint that was taken back when code is patched under two CPUs.
 */
static void turn_points_on(void)
{
	put_file(GUARD "/delay/at", "lookup");
}

static void begin_with_files(void)
{
	turn_points_on();
	mount_disk("nossd,commit=300");
	make_files(MNT "/stay", 0, STAYING_FILES);
	sync_fs();
}

static void end_with_all_files(void)
{
	check("files_read", read_tree(MNT "/stay"), STAYING_FILES);
	umount_disk();
	mount_disk(NULL);
	check("files_after_mount", read_tree(MNT "/stay"), STAYING_FILES);
	umount_disk();
}

/*
 * Files are made and deleted: from the next transaction on their blocks are free, and
 * still in memory.
 */
static void leave_free_blocks(int pass)
{
	char name[32], dir[64];

	snprintf(name, sizeof(name), "pass%d", pass);
	snprintf(dir, sizeof(dir), MNT "/pass%d/d", pass);
	make_subvol(name);
	make_files(dir, 0, PASSING_FILES);
	sync_fs();
	destroy_subvol(name);
	if (!wait_dropped(0))
		die("a deleted subvolume is not dropped");
	sync_fs();
}

static void write_always(void)
{
	for (int round = 0;; round++) {
		touch_files(MNT "/stay", 0, STAYING_FILES, round);
		sync_fs();
	}
}

/* Nothing is left that reclaim could take, or not much. */
static bool all_taken;

/*
 * Takes back some clean memory, one page after the other, and comes back soon.
 * drop_caches takes all there is, and newer kernels lock many pages at once for it: the
 * writer would wait for one beside that of its buffer.  Where there is no memory.reclaim
 * yet it locks one page only, and is what comes to each: a limit of a cgroup takes
 * what was charged to that, and most tree blocks are made by threads of btrfs.
 */
static void reclaim_some(void)
{
	if (access(RECLAIM_ALL, F_OK)) {
		put_file("/proc/sys/vm/drop_caches", "1");
		all_taken = true;
		return;
	}
	/* It tells us that less than this could be had, which is no failure. */
	if (!try_put_file(RECLAIM_ALL, "128K") && errno != EAGAIN)
		die("reclaiming memory of all cgroups");
}

/* How long a schedule of ours waits: for a pass to its end where that takes all. */
static int timeout_ms(int otherwise)
{
	return access(RECLAIM_ALL, F_OK) ? 10000 : otherwise;
}

/* Reclaim, a page after the other, until it has made the step behind so many. */
static bool reclaim_to_step(int steps)
{
	for (int pass = 0; pass < 200 && steps_made() == steps; pass++)
		reclaim_some();
	return steps_made() > steps;
}

/*
 * The writer stops at the first block that it makes of a buffer which could be
 * released, and reclaim comes to that buffer.
 */
static bool meet_writer(void)
{
	double limit = now() + 5;

	while (!steps_made())
		if (now() > limit)
			return false;
	return is_idle(schedule_value("start: ")) && reclaim_to_step(1);
}

/* A round: that buffer is released. */
static enum outcome release_round(const char *schedule)
{
	set_schedule(schedule);
	if (!meet_writer())
		return MISSED;
	if (is_kept(3, DIRTIED))
		return KEPT;
	while (steps_made() > 1 && !schedule_done())
		usleep(1000);
	/* Was it clean, somebody has found it in time, and it was written. */
	return schedule_done() &&
	       strstr(line_with(schedule_text, "step 5 "), "DIRTY") ? DONE : MISSED;
}

/*
 * release_dirty: reclaim has found a buffer idle and is about to clear TREE_REF, when
 * a task finds the buffer, makes a new block of it, and sets DIRTY.  It goes on from
 * there, or with until_put=1 from where it gives the buffer back: on a kernel that lets
 * the buffer go, whoever sets DIRTY once more would save it.
 */
static void run_release_dirty(void)
{
	bool until_put = option_number("until_put", 0);
	char schedule[256];
	double limit = now() + option_number("seconds", 150);
	int refusals = option_number("refusals", REFUSALS);
	int kept = 0, rounds = 0, passes = 0;
	bool freed = false;
	pid_t writer;

	snprintf(schedule, sizeof(schedule),
		 "timeout %d\n"
		 "writer new_block\n"
		 "reclaim release\n"
		 "writer %s\n"
		 "reclaim released\n"
		 "writer last_put\n",
		 timeout_ms(1000), until_put ? "put refs=2" : "dirtied");
	begin_with_files();
	while (!freed && kept < refusals && now() < limit) {
		for (int pass = 0; pass < PASSES; pass++)
			leave_free_blocks(passes++);
		all_taken = false;
		writer = spawn(write_always);
		for (int round = 0; round < ROUNDS && !all_taken && !freed &&
		     kept < refusals && now() < limit; round++) {
			enum outcome made = release_round(schedule);

			if (made == KEPT && !kept++)
				tell_schedule();
			freed = made == DONE;
			rounds++;
		}
		if (freed)
			tell_schedule();
		set_schedule("\n");
		stop_worker(writer);
		sync_fs();
	}
	verdict("rounds %d, freed %d", rounds, freed);
	/* On a kernel on which it can't happen, so often it was tried. */
	check("kept", kept, refusals);
	end_with_all_files();
}

static void read_always(void)
{
	for (;;)
		read_tree(MNT);
}

/*
 * release_rate: how often is a buffer found between the test and the clear of reclaim,
 * and made dirty there, when nothing is held up?  The guard counts both.
 */
static void run_release_rate(void)
{
	double limit = now() + option_number("seconds", 60);
	pid_t reader, writer;
	int passes = 0;

	mount_disk("nossd,commit=300");
	make_files(MNT "/stay", 0, STAYING_FILES);
	reader = spawn(read_always);
	while (now() < limit) {
		leave_free_blocks(passes++);
		writer = spawn(write_always);
		for (double end = now() + 3; now() < end;)
			reclaim_some();
		stop_worker(writer);
	}
	stop_worker(reader);
	sync_fs();
	check("passes", passes, 1);
	check_stat("release_done", 100);
	umount_disk();
}

/*
 * write_root: a block whose buffer reclaim lets go, as above, becomes the root of a
 * tree, which keeps it when all others have put it.  The flusher writes it, and the next
 * change makes another block of the root while it does so.
 */
static void sync_all(void)
{
	/* All inodes are written first, that of the tree blocks too, and no commit yet. */
	sync();
}

static void change_one(void)
{
	/* New blocks from the root to a leaf: the root is dirtied as one, and for its child. */
	touch_files(MNT "/stay", 0, 1, getpid());
}

/*
 * So many steps of write_root are made before reclaim goes on, when the buffer has lost
 * TREE_REF and its writer is done, when the block is about to go to the disk, and in all.
 */
#define STOOD		4
#define RELEASED	(STOOD + 1)
#define SENT		(RELEASED + 2)
#define PUT		(SENT + 2)

/* The block that has lost TREE_REF is written, and another one made of it meanwhile. */
static bool write_it(void)
{
	pid_t syncer, second;
	bool put;

	syncer = spawn(sync_all);
	await_steps(SENT, now() + 2);
	second = spawn(change_one);
	await_steps(PUT, now() + 2);
	put = steps_made() == PUT;
	tell_schedule();
	/* If it did not come back either, the write was over too early to do harm. */
	if (put && (had_flag("io writeback", "TREE_REF") ||
		    !had_flag("io write_danced", "TREE_REF")))
		put = false;
	set_schedule("\n");
	if (wait_for(second) || wait_for(syncer))
		die("the writer failed");
	return put;
}

/* A round, as that of release_dirty, but for any block. */
static enum outcome write_round(const char *schedule)
{
	enum outcome made = MISSED;
	pid_t writer;

	set_schedule(schedule);
	writer = spawn(change_one);
	if (meet_writer()) {
		if (is_kept(STOOD, DIRTIED)) {
			tell_schedule();
			made = KEPT;
		} else if (steps_made() == RELEASED && write_it()) {
			made = DONE;
		}
	}
	set_schedule("\n");
	if (wait_for(writer))
		die("the writer failed");
	return made;
}

static void run_write_root(void)
{
	static const char steps[] =
		"writer new_block\n"
		"reclaim release\n"
		"writer dirtied\n"
		"writer dirtied\n"
		"reclaim released\n"
		"io writeback\n"
		"io write_danced\n"
		"second stale\n"
		"io put\n";
	char schedule[256];
	double limit = now() + option_number("seconds", 120);
	int refusals = option_number("refusals", REFUSALS);
	int kept = 0, done = 0, rounds = 0, passes = 0;

	snprintf(schedule, sizeof(schedule), "timeout %d\n%s", timeout_ms(3000), steps);
	begin_with_files();
	while (!done && kept < refusals && now() < limit) {
		for (int pass = 0; pass < PASSES; pass++)
			leave_free_blocks(passes++);
		all_taken = false;
		for (int round = 0; round < ROUNDS && !all_taken && !done &&
		     kept < refusals && now() < limit; round++) {
			enum outcome made = write_round(schedule);

			kept += made == KEPT;
			done += made == DONE;
			rounds++;
			/* On to other blocks. */
			touch_files(MNT "/stay", 0, STAYING_FILES, round);
			sync_fs();
		}
	}
	verdict("rounds %d, done %d", rounds, done);
	/* On a kernel on which it can't happen, so often it was tried. */
	if (!done)
		check("kept", kept, refusals);
	end_with_all_files();
}

/* A directory of several leaves, side by side on the disk. */
#define NAMES		1500
#define NAMES_A_LEAF	64

static void make_names(void)
{
	char path[64];

	make_files(MNT "/names", 0, 1);
	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof(path), MNT "/names/name%04d", i);
		if (link(MNT "/names/f000000", path))
			die("linking %s", path);
	}
	sync_fs();
}

/*
 * The directory of names, opened, from a place on.  Opening it may wait for a task that
 * reads it.
 */
static DIR *names_from(long place)
{
	DIR *dir = opendir(MNT "/names");

	if (!dir)
		die("opening the directory");
	seekdir(dir, place);
	return dir;
}

static long count_names(DIR *dir)
{
	long names = 0;

	while (readdir(dir))
		names++;
	closedir(dir);
	return names;
}

/* What the two who read ahead read. */
static DIR *first_names, *second_names;

static void read_first(void)
{
	count_names(first_names);
}

static void read_second(void)
{
	count_names(second_names);
}

/*
 * A round, of a file system that has read few leaves yet.  The second begins a leaf or
 * two before the first, and reads ahead what the first comes to.
 */
static bool readahead_round(const char *schedule, long place, double limit)
{
	pid_t first, second;
	bool done;

	mount_disk(NULL);
	first_names = names_from(place);
	second_names = names_from(place - NAMES_A_LEAF - 1);
	set_schedule(schedule);
	first = spawn(read_first);
	await_steps(2, limit);
	second = spawn(read_second);
	await_steps(3, limit);
	reclaim_until(9, limit);
	done = schedule_done();
	tell_schedule();
	set_schedule("\n");
	if (wait_for(first) || wait_for(second))
		die("reading the directory failed");
	closedir(first_names);
	closedir(second_names);
	umount_disk();
	return done;
}

/* Half of all page locks that readahead tries are refused: all can be read anyway. */
static void refuse_page_locks(void)
{
	static const char key[] = "read_trylock: ";
	char text[4096], *at;

	put_file(GUARD "/fail/probability", "50");
	put_file(GUARD "/fail/times", "-1");
	put_file(GUARD "/fail/at", "read_trylock");
	mount_disk(NULL);
	check("names_read_refused", count_names(names_from(0)), NAMES);
	umount_disk();
	put_file(GUARD "/fail/at", "\n");
	get_file(GUARD "/fail/at", text, sizeof(text));
	at = strstr(text, key);
	check("locks_refused", at ? atol(at + strlen(key)) : 0, 3);
}

static void begin_with_names(void)
{
	turn_points_on();
	mount_disk(NULL);
	make_names();
	umount_disk();
}

static void end_with_all_names(void)
{
	mount_disk(NULL);
	check("names_read", count_names(names_from(0)), NAMES);
	umount_disk();
}

/*
 * readahead_2020: the crash of "btrfs: fix fatal extent_buffer readahead vs
 * releasepage race", 5.8, as its changelog tells it.  The first who reads ahead is
 * refused a page lock; the second finds the buffer that was left, when reclaim has
 * found it idle and is about to clear TREE_REF.
 */
static void run_readahead_2020(void)
{
	static const char schedule[] =
		"timeout 5000\n"
		"first read_trylock fail\n"
		"first lookup\n"
		"second lookup\n"
		"reclaim release\n"
		"second read_trylock\n"
		"reclaim released\n"
		"second read_start\n"
		"second put\n"
		"first put\n";
	double limit = now() + option_number("seconds", 60);
	int done = 0, rounds = 0;

	begin_with_names();
	/* Reclaim has given the page lock back when the second tries it. */
	put_file(GUARD "/delay/us", "20000");
	put_file(GUARD "/delay/probability", "100");
	put_file(GUARD "/delay/times", "-1");
	put_file(GUARD "/delay/at", "read_trylock");
	while (!done && now() < limit) {
		long place = (5 + rounds++ % 10) * NAMES_A_LEAF;

		done = readahead_round(schedule, place, limit);
	}
	verdict("rounds %d", rounds);
	check("done", done, 1);
	check_stat("repairs", 1);
	put_file(GUARD "/delay/probability", "0");
	refuse_page_locks();
	end_with_all_names();
}

/*
 * The first buffer of a page that was read ahead and could not be read: reclaim takes
 * those of a page in turn, and stops at one that is in use.  0 if there is none.
 */
static unsigned long long unread_buffer(void)
{
	static char buffers[4 << 20];
	char *line, *rest = buffers;

	if (get_file(GUARD "/buffers", buffers, sizeof(buffers)) < 0)
		die("reading the buffers");
	while ((line = strsep(&rest, "\n"))) {
		unsigned long long start;

		if (sscanf(line, "start=%llu", &start) == 1 &&
		    start % sysconf(_SC_PAGESIZE) == 0 &&
		    strstr(line, " refs=1 io_pages=0 ") && strstr(line, "TREE_REF") &&
		    !strstr(line, "UPTODATE"))
			return start;
	}
	return 0;
}

/*
 * Leaves of the directory are read ahead while the disk fails.  Readahead has put them
 * by then, so they are left behind as they were made, but for the one that is read
 * itself.  Nothing else does that to a block that is smaller than a page: whose lock is
 * refused is thrown away.
 */
static unsigned long long leave_unread(long place)
{
	unsigned long long start = 0;

	first_names = names_from(place);
	fail_requests("vda", 100);
	wait_for(spawn(read_first));
	for (int i = 0; i < 20 && !start; i++) {
		usleep(50000);
		start = unread_buffer();
	}
	fail_requests("vda", 0);
	closedir(first_names);
	return start;
}

/* Of a disk that is slow, so that other reads have to wait. */
static void read_disk_always(void)
{
	static char block[4096] __attribute__((aligned(4096)));
	int fd = open(DISK, O_RDONLY | O_DIRECT);

	while (fd >= 0 && pread(fd, block, sizeof(block), 0) > 0)
		;
	die("reading the disk");
}

/*
 * A round, on a file system that is mounted anew: such a buffer is read ahead again,
 * while reclaim, which we are, comes to it.  So many steps there are before reclaim
 * goes on, and in all.
 */
static enum outcome subpage_round(const char *steps, int stood, int all, long place)
{
	enum outcome made = MISSED;
	unsigned long long start;
	pid_t reader, other;
	char schedule[512];

	mount_disk(NULL);
	/* Nothing is written while the disk fails. */
	if (mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		die("mounting it anew, read-only");
	start = leave_unread(place);
	if (start) {
		snprintf(schedule, sizeof(schedule), "timeout 5000\nstart %llu\n%s",
			 start, steps);
		first_names = names_from(place);
		/* The read is still under way when its buffer goes. */
		other = spawn(read_disk_always);
		set_schedule(schedule);
		reader = spawn(read_first);
		await_steps(1, now() + 5);
		if (reclaim_to_step(1) && is_kept(stood, UNDER_READ))
			made = KEPT;
		else if (steps_made() > stood)
			await_steps(all, now() + 2);
		if (schedule_done())
			made = DONE;
		tell_schedule();
		set_schedule("\n");
		stop(other);
		wait_for(reader);
		closedir(first_names);
	}
	umount_disk();
	return made;
}

/* Until all steps were made, or reclaim has so often left the buffer alone. */
static void subpage_rounds(const char *steps, int stood, int all, int refusals)
{
	double limit = now() + option_number("seconds", 100);
	int kept = 0, done = 0, rounds = 0;

	begin_with_names();
	while (!done && kept < refusals && now() < limit) {
		long place = rounds++ * NAMES_A_LEAF % NAMES;
		enum outcome made = subpage_round(steps, stood, all, place);

		kept += made == KEPT;
		done += made == DONE;
	}
	verdict("rounds %d, done %d", rounds, done);
	if (!done)
		check("kept", kept, refusals);
	end_with_all_names();
}

/*
 * readahead_2020_subpage: the same crash where a page has many blocks, of a buffer that
 * was left behind in another way.
 */
static void run_readahead_2020_subpage(void)
{
	subpage_rounds("reader lookup\n"
		       "reclaim release\n"
		       "reader read_trylock\n"
		       "reclaim released\n"
		       "reader read_start\n"
		       "reader put\n", 3, 6, 1);
	check_stat("repairs", 1);
}

/*
 * read_subpage: a block that is smaller than a page is read without the lock of the
 * page, which is what reclaim holds.  So a whole read, with its dance, fits between
 * reclaim's test and its clear.
 */
static void run_read_subpage(void)
{
	subpage_rounds("reader lookup\n"
		       "reclaim release\n"
		       "reader read_sent\n"
		       "reclaim released\n"
		       "reader put\n", 3, 5, option_number("refusals", REFUSALS));
}

const struct workload race_workloads[] = {
	{ "release_dirty", run_release_dirty },
	{ "release_rate", run_release_rate },
	{ "write_root", run_write_root },
	{ "readahead_2020", run_readahead_2020 },
	{ "readahead_2020_subpage", run_readahead_2020_subpage },
	{ "read_subpage", run_read_subpage },
	{ NULL, NULL }
};
