/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the guest's init share: the table of workloads, options,
 * checks, and the few file system operations that all workloads are made of.
 *
 * A workload runs as a child of init.  It ends with exit status 0 when it came
 * to its end; what it reached on the way it says with check().  Whatever it
 * can't do is fatal: a workload that silently does less proves nothing.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MNT		"/mnt"
#define DISK		"/dev/vda"
#define DEBUGFS		"/sys/kernel/debug"
#define GUARD		DEBUGFS "/btrfs_eb_debug"
#define CGROUP		"/sys/fs/cgroup/workload"
#define PARAMS		"/sys/module/btrfs/parameters"
#define TRACING		"/sys/kernel/tracing"
#define EVENTS		TRACING "/events/btrfs"
#define PROGRAM_OUTPUT	"/program.out"
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct workload {
	const char *name;
	void (*run)(void);
};

/* One table in each file of workloads; a row without a name ends it. */
extern const struct workload basic_workloads[];
extern const struct workload io_workloads[];
extern const struct workload lookup_workloads[];
extern const struct workload knob_workloads[];
extern const struct workload self_workloads[];
extern const struct workload trace_workloads[];
extern const struct workload fault_workloads[];
extern const struct workload power_workloads[];
extern const struct workload dm_workloads[];
extern const struct workload feature_workloads[];
extern const struct workload device_workloads[];
extern const struct workload space_workloads[];
extern const struct workload load_workloads[];
extern const struct workload find_workloads[];
extern const struct workload race_workloads[];
extern const struct workload point_workloads[];
extern const struct workload perf_workloads[];
extern const struct workload checker_workloads[];
extern const struct workload tools_workloads[];
extern const struct workload garbage_workloads[];
extern const struct workload scale_workloads[];
extern const struct workload lifetime_workloads[];
extern const struct workload refused_workloads[];
extern const struct workload vanish_workloads[];
extern const struct workload cut_workloads[];
extern const struct workload no_pages_workloads[];

/* init.c: the kernel's command line, modules, and the channel to the host */
const char *option(const char *key, const char *fallback);
long option_number(const char *key, long fallback);
bool load_modules(void);
void verdict(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* checkers.c: what lockdep has seen */
void tell_lock_chains(void);

/* util.c */
extern int checks_low;
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void mark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void check(const char *name, long value, long min);
double now(void);
void put_file(const char *path, const char *text);
bool try_put_file(const char *path, const char *text);
long get_file(const char *path, char *buf, size_t size);
void open_log(void);
bool log_has_call(const char *caller, const char *callee);
long stat_value(const char *name);
long mutant_hits(void);
bool mutant_awaited(void);
bool guarded(void);
void check_stat(const char *name, long min);
bool buffers_gone(void);
long disk_reads(void);
long disk_writes(void);
bool disk_busy(void);
void reclaim(void);
void drop_inodes(void);
void mount_disk(const char *options);
bool try_mount_disk(const char *options);
void make_fs(void);
int run_program(const char *path, const char * const *args);
void umount_disk(void);
void sync_fs(void);
pid_t spawn(void (*task)(void));
void stop(pid_t task);

/* record.c: the guard's trace events */
int enable_events(bool on);
void record_begin(void);
void record_end(void);

/* basic.c */
void meta_round(int round);

/* nth.c: allocations of this task fail, one or those of which it is said */
void open_nth(void);
void arm_nth(long nth);
long nth_left(void);
void let_fail(bool on);

/* io.c */
void fail_requests(const char *disk, int percent);

/* super.c */
#define SUPER_SIZE	4096
#define SUPER_ROOT	0x50
#define SUPER_CHUNK_ROOT 0x58
#define SUPER_LOG_ROOT	0x60
#define SUPER_LOG_LEVEL	0xc8

void get_super(const char *disk, unsigned char *super);
void put_super(const char *disk, const unsigned char *super);
uint64_t super_value(const unsigned char *super, size_t at);
bool log_on_disk(const char *disk);
void sign_block(unsigned char *block, size_t size);

/* devices.c */
off_t place_of(uint64_t address, int copy);

/* files.c: metadata, made and read */
void make_files(const char *dir, int first, int count);
void touch_files(const char *dir, int first, int count, int round);
void remove_files(const char *dir, int first, int count);
void check_compressed(const char *dir, int first, int count);
long read_tree(const char *dir);
void make_subvol(const char *name);
void make_snapshot(const char *from, const char *name, bool readonly);
void destroy_subvol(const char *name);

/* btrfs.c: what the file system is asked for by ioctl */
int path_ioctl(const char *path, unsigned long request, void *args);
void fs_ioctl(unsigned long request, void *args, const char *what);
long count_items(uint64_t tree, uint32_t type, uint64_t first, uint64_t last);
bool find_item(uint64_t tree, uint64_t objectid, uint32_t type, uint64_t *offset,
	       void *data, size_t size);
long count_subvols(void);
bool wait_dropped(long left);
uint64_t subvol_id(const char *path);
int balance_chunks(uint64_t flags, long *completed);
void enable_quotas(void);
void disable_quotas(void);
long quota_of(uint64_t group);
void make_data_file(const char *path, size_t size);
int wait_for(pid_t task);
void stop_worker(pid_t task);

#endif /* GUEST_H */
