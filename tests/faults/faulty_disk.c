/* Faults in file operations and steps of the clock, for the processes that preload this library.

   Only files below one folder are affected. Plan and counts are in a file that is mapped by every
   process of a job, so that the n-th operation is the n-th of all of them; tests/faults/disk.py
   has the same layout. Calls that the C library makes inside itself, such as those of fopen, do
   not pass here. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum operation { OPEN, CREATE, READ, WRITE, SYNC, RENAME, MAKE, REMOVE, TRUNCATE, OPERATIONS };
enum fault { NOTHING, KILL, FAIL, TEAR, TEAR_AND_KILL, STEP };

struct plan {
    int64_t affected; /* bits of the operations that are counted and fail */
    int64_t at;       /* the one that fails, from 1; 0 is none */
    int64_t fault;
    int64_t error; /* errno */
    int64_t lasts; /* whether all later ones fail too */
    int64_t victim; /* process to kill */
    int64_t step_s;
    int64_t clock_s; /* seconds that the clock is ahead of the true time */
    int64_t counted;
    int64_t seen[OPERATIONS];
    char folder[PATH_MAX];
};

static struct plan *plan;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Maps a plan; a fork of a process that has one calls it again for its own. */
__attribute__((visibility("default"))) int follow_plan(const char *path) {
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return -1;
    void *mapped = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) return -1;
    plan = mapped;
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTY_DISK_PLAN");
    if (path && *path) follow_plan(path);
}

static int is_affected_path(int folder, const char *path) {
    char full[2 * PATH_MAX];
    if (!plan || !path) return 0;
    if (*path != '/') {
        char link[64];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d",
                 folder);
        ssize_t length = readlink(link, full, PATH_MAX);
        if (length < 0) return 0;
        snprintf(full + length, sizeof full - length, "/%s", path);
        path = full;
    }
    size_t length = strlen(plan->folder);
    return !strncmp(path, plan->folder, length) && (path[length] == '/' || !path[length]);
}

static int is_affected_file(int fd) {
    char link[64], path[PATH_MAX];
    if (!plan) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_affected_path(AT_FDCWD, path);
}

/* What happens to an operation: NOTHING, FAIL with errno set, or TEAR. */
static enum fault meet(enum operation operation) {
    __atomic_add_fetch(&plan->seen[operation], 1, __ATOMIC_SEQ_CST);
    if (!(plan->affected & (1 << operation)) || !plan->at) return NOTHING;
    int64_t number = __atomic_add_fetch(&plan->counted, 1, __ATOMIC_SEQ_CST);
    if (number < plan->at || (number > plan->at && !plan->lasts)) return NOTHING;
    switch (plan->fault) {
    case KILL:
        kill(plan->victim, SIGKILL);
        return NOTHING;
    case STEP:
        plan->clock_s += plan->step_s;
        return NOTHING;
    case TEAR:
    case TEAR_AND_KILL:
        if (operation == WRITE && number == plan->at) return plan->fault;
        if (plan->fault == TEAR_AND_KILL) return NOTHING;
        break;
    case FAIL:
        break;
    default:
        return NOTHING;
    }
    errno = (int)plan->error;
    return FAIL;
}

static int fails(enum operation operation) { return meet(operation) == FAIL; }

static int makes_or_changes(int flags) { return flags & (O_CREAT | O_TRUNC); }

#define OPEN_BODY(call)                                                                           \
    mode_t mode = 0;                                                                              \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                          \
        va_list rest;                                                                             \
        va_start(rest, flags);                                                                    \
        mode = va_arg(rest, mode_t);                                                              \
        va_end(rest);                                                                             \
    }                                                                                             \
    if (is_affected_path(folder, path) && fails(makes_or_changes(flags) ? CREATE : OPEN))         \
        return -1;                                                                                \
    return call;

int open(const char *path, int flags, ...) {
    int folder = AT_FDCWD;
    OPEN_BODY(REAL(open)(path, flags, mode))
}
int open64(const char *path, int flags, ...) {
    int folder = AT_FDCWD;
    OPEN_BODY(REAL(open64)(path, flags, mode))
}
int openat(int folder, const char *path, int flags, ...) {
    OPEN_BODY(REAL(openat)(folder, path, flags, mode))
}
int openat64(int folder, const char *path, int flags, ...) {
    OPEN_BODY(REAL(openat64)(folder, path, flags, mode))
}

#define WRITE_BODY(whole, half)                                                                   \
    switch (is_affected_file(fd) ? meet(WRITE) : NOTHING) {                                       \
    case FAIL:                                                                                    \
        return -1;                                                                                \
    case TEAR:                                                                                    \
        return half;                                                                              \
    case TEAR_AND_KILL:                                                                           \
        (void)!half;                                                                              \
        kill(plan->victim, SIGKILL);                                                              \
        return -1;                                                                                \
    default:                                                                                      \
        return whole;                                                                             \
    }

ssize_t write(int fd, const void *from, size_t size) {
    WRITE_BODY(REAL(write)(fd, from, size), REAL(write)(fd, from, (size + 1) / 2))
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    WRITE_BODY(REAL(pwrite)(fd, from, size, at), REAL(pwrite)(fd, from, (size + 1) / 2, at))
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    WRITE_BODY(REAL(pwrite64)(fd, from, size, at), REAL(pwrite64)(fd, from, (size + 1) / 2, at))
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    WRITE_BODY(REAL(writev)(fd, parts, count), REAL(writev)(fd, parts, 1))
}

ssize_t read(int fd, void *to, size_t size) {
    if (is_affected_file(fd) && fails(READ)) return -1;
    return REAL(read)(fd, to, size);
}
ssize_t pread(int fd, void *to, size_t size, off_t at) {
    if (is_affected_file(fd) && fails(READ)) return -1;
    return REAL(pread)(fd, to, size, at);
}
ssize_t pread64(int fd, void *to, size_t size, off64_t at) {
    if (is_affected_file(fd) && fails(READ)) return -1;
    return REAL(pread64)(fd, to, size, at);
}

int fsync(int fd) { return is_affected_file(fd) && fails(SYNC) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return is_affected_file(fd) && fails(SYNC) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t size) {
    return is_affected_file(fd) && fails(TRUNCATE) ? -1 : REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    return is_affected_file(fd) && fails(TRUNCATE) ? -1 : REAL(ftruncate64)(fd, size);
}

int rename(const char *from, const char *to) {
    return is_affected_path(AT_FDCWD, to) && fails(RENAME) ? -1 : REAL(rename)(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    return is_affected_path(b, to) && fails(RENAME) ? -1 : REAL(renameat)(a, from, b, to);
}
int mkdir(const char *path, mode_t mode) {
    return is_affected_path(AT_FDCWD, path) && fails(MAKE) ? -1 : REAL(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    return is_affected_path(folder, path) && fails(MAKE) ? -1 : REAL(mkdirat)(folder, path, mode);
}
int unlink(const char *path) {
    return is_affected_path(AT_FDCWD, path) && fails(REMOVE) ? -1 : REAL(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    return is_affected_path(folder, path) && fails(REMOVE) ? -1
                                                           : REAL(unlinkat)(folder, path, flags);
}
int rmdir(const char *path) {
    return is_affected_path(AT_FDCWD, path) && fails(REMOVE) ? -1 : REAL(rmdir)(path);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = REAL(clock_gettime)(clock, now);
    if (plan && !answer && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += plan->clock_s;
    return answer;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int answer = REAL(gettimeofday)(now, zone);
    if (plan && !answer) now->tv_sec += plan->clock_s;
    return answer;
}
time_t time(time_t *now) {
    time_t answer = REAL(time)(NULL) + (plan ? plan->clock_s : 0);
    if (now) *now = answer;
    return answer;
}
