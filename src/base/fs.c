/* Reading, writing and removing files of ours. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the system said about a path, as an error with a hint where one helps. Uses errno. */
static bool io_error(struct rt_error *err, const char *doing, const char *path) {
    int e = errno;
    enum rt_code code = RT_E_IO;
    if (e == ENOENT || e == ENOTDIR)
        code = RT_E_NOT_FOUND;
    else if (e == EACCES || e == EPERM)
        code = RT_E_DENIED;
    else if (e == ENOSPC || e == EDQUOT || e == EFBIG || e == EMFILE || e == ENFILE)
        code = RT_E_LIMIT;
    rt_error_set(err, code, "%s %s: %s", doing, path, strerror(e));
    if (e == ENOSPC)
        rt_error_hint(err, "the disk is full: make room and try again");
    else if (e == EDQUOT)
        rt_error_hint(err, "your quota on this disk is used up: make room and try again");
    else if (e == EROFS)
        rt_error_hint(err, "the file system is read-only");
    return false;
}

bool rt_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

bool rt_dir_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool rt_mkdirs(const char *path, struct rt_error *err) {
    if (rt_dir_exists(path))
        return true;
    char *part = rt_strdup(path);
    bool ok = true;
    for (char *p = part + (*part == '/'); ok; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        if (*part && mkdir(part, 0700) != 0 && !rt_dir_exists(part)) {
            if (errno == EEXIST)
                errno = ENOTDIR;
            ok = io_error(err, "cannot make the directory", part);
        }
        *p = c;
        if (c == '\0')
            break;
    }
    free(part);
    return ok;
}

bool rt_mkdir_private(const char *path, struct rt_error *err) {
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST || lstat(path, &st) != 0)
        return io_error(err, "cannot make the directory", path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        rt_error_set(err, RT_E_DENIED, "%s is not a private directory of this user", path);
        return rt_error_hint(err,
                             "remove it, or set XDG_RUNTIME_DIR or TMPDIR to a directory of yours");
    }
    return true;
}

static bool make_parents(const char *path, struct rt_error *err) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return true;
    char *dir = rt_strndup(path, (size_t)(slash - path));
    bool ok = rt_mkdirs(dir, err);
    free(dir);
    return ok;
}

bool rt_mkdir_runtime(struct rt_error *err) {
    char *dir = rt_path(RT_DIR_RUNTIME, NULL);
    bool ok = make_parents(dir, err) && rt_mkdir_private(dir, err);
    free(dir);
    return ok;
}

bool rt_file_read(const char *path, size_t max, struct rt_buf *out, struct rt_error *err) {
    if (max == 0)
        max = 64 * RT_MIB;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error(err, "cannot read", path);
    size_t total = 0;
    bool ok = true;
    while (ok) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            break;
        if (n < 0) {
            ok = io_error(err, "cannot read", path);
        } else {
            total += (size_t)n;
            if (total > max || !rt_buf_add(out, chunk, (size_t)n))
                ok = rt_error_set(err, RT_E_LIMIT, "%s is larger than %zu bytes", path, max);
        }
    }
    close(fd);
    return ok;
}

static bool write_all(int fd, const char *data, size_t n) {
    while (n > 0) {
        ssize_t wrote = write(fd, data, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        data += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

/* Writes beside the target and renames: readers see the old or the new file, never a half one. */
static bool replace_file(const char *target, const void *data, size_t n, struct rt_error *err) {
    char *tmp = rt_strf("%s.XXXXXX", target);
    int fd = mkstemp(tmp); /* 0600 */
    if (fd < 0) {
        free(tmp);
        return io_error(err, "cannot write", target);
    }
    bool ok = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && write_all(fd, data, n) && fsync(fd) == 0;
    int failure = errno;
    if (close(fd) != 0 && ok) { /* a network file system may tell of a full disk only here */
        ok = false;
        failure = errno;
    }
    if (ok && rename(tmp, target) != 0) {
        ok = false;
        failure = errno;
    }
    if (!ok) {
        unlink(tmp);
        errno = failure;
        io_error(err, "cannot write", target);
    }
    free(tmp);
    return ok;
}

bool rt_file_write(const char *path, const void *data, size_t n, struct rt_error *err) {
    if (!make_parents(path, err))
        return false;
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (!S_ISDIR(st.st_mode)) /* /dev/stdout and the like cannot be replaced */
            return rt_file_append(path, data, n, false, err);
        errno = EISDIR;
        return io_error(err, "cannot write", path);
    }
    char *target = realpath(path, NULL); /* a link stays a link: what it names is replaced */
    bool ok = replace_file(target ? target : path, data, n, err);
    free(target);
    return ok;
}

bool rt_file_append(const char *path, const void *data, size_t n, bool sync, struct rt_error *err) {
    if (!make_parents(path, err))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return io_error(err, "cannot write", path);
    struct stat before;
    bool regular = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
    bool ok = write_all(fd, data, n);
    int failure = errno;
    if (!ok && regular && ftruncate(fd, before.st_size) != 0) /* no torn record */
        failure = errno;
    if (ok && sync && regular && fsync(fd) != 0) {
        ok = false;
        failure = errno;
    }
    if (close(fd) != 0 && ok) {
        ok = false;
        failure = errno;
    }
    errno = failure;
    return ok || io_error(err, "cannot write", path);
}

enum { TREE_DEPTH = 100 };

static bool remove_at(int dir, const char *name, int depth);

static bool remove_entries(int dir, int depth) {
    DIR *d = fdopendir(dir);
    if (!d) {
        close(dir);
        return false;
    }
    bool ok = true;
    int failure = 0;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!remove_at(dirfd(d), e->d_name, depth + 1)) {
            ok = false;
            failure = errno;
        }
    }
    closedir(d);
    errno = failure;
    return ok;
}

static bool remove_at(int dir, const char *name, int depth) {
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM) /* directories: EISDIR on Linux, EPERM elsewhere */
        return false;
    if (depth > TREE_DEPTH) {
        errno = ELOOP;
        return false;
    }
    int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sub < 0)
        return false;
    return remove_entries(sub, depth) &&
           (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

bool rt_remove_tree(const char *path, struct rt_error *err) {
    return remove_at(AT_FDCWD, path, 0) || errno == ENOENT || io_error(err, "cannot remove", path);
}

/* The holder's text, in one clean line. */
static void read_holder(int fd, char *out, size_t size) {
    char text[256];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    rt_clean_to(out, size, text);
}

int rt_file_lock(const char *path, const char *text, struct rt_error *err) {
    if (!make_parents(path, err))
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        io_error(err, "cannot lock", path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char holder[300];
        if (errno == EWOULDBLOCK) {
            read_holder(fd, holder, sizeof holder);
            rt_error_set(err, RT_E_BUSY, "busy: %s", *holder ? holder : "another process holds it");
        } else {
            io_error(err, "cannot lock", path);
        }
        close(fd);
        return -1;
    }
    if (ftruncate(fd, 0) != 0 || (text && !write_all(fd, text, strlen(text)))) {
        io_error(err, "cannot lock", path);
        close(fd);
        return -1;
    }
    return fd;
}

void rt_file_unlock(int fd) {
    if (fd < 0)
        return;
    int ignored = ftruncate(fd, 0); /* the text of nobody would only mislead */
    (void)ignored;
    close(fd);
}
