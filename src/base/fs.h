/* Files of ours: XDG places, 0700/0600, whole-file reads with a cap, writes by rename, locks. */
#ifndef RT_BASE_FS_H
#define RT_BASE_FS_H

#include "base/buf.h"
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum rt_place { RT_DIR_CONFIG, RT_DIR_STATE, RT_DIR_CACHE, RT_DIR_RUNTIME };
/* XDG_*_HOME/raytui or its default; RUNTIME: XDG_RUNTIME_DIR/raytui-PID or a 0700 directory under
 * TMPDIR. Gives the joined path ("sub" may be NULL); does not create it. */
char *rt_path(enum rt_place place, const char *sub);
/* Makes the directory 0700; one that is there already must be a real directory, ours, and nobody else's
 * to write. What stands under TMPDIR is made with this. */
bool rt_mkdir_private(const char *path, struct rt_error *err);
/* The directory of RT_DIR_RUNTIME, private; makes parents. */
bool rt_mkdir_runtime(struct rt_error *err);
char *rt_path_join(const char *a, const char *b);
char *rt_path_expand(const char *path); /* leading ~ and ~/; gives it */
bool rt_mkdirs(const char *path, struct rt_error *err); /* 0700 */
/* Appends the content to `out`, which is initialised by the caller. More than `max` bytes (0: 64 MiB): RT_E_LIMIT. */
bool rt_file_read(const char *path, size_t max, struct rt_buf *out, struct rt_error *err);
bool rt_file_write(const char *path, const void *data, size_t n, struct rt_error *err); /* 0600, rename; makes parents */
bool rt_file_append(const char *path, const void *data, size_t n, bool sync, struct rt_error *err);
bool rt_file_exists(const char *path);
bool rt_dir_exists(const char *path);
bool rt_remove_tree(const char *path, struct rt_error *err); /* never follows links; absent is fine */
/* An exclusive flock with the holder's text inside (makes parents); -1 and RT_E_BUSY with "busy: TEXT" when
 * held. The file stays when it is unlocked: removing it would let two in. */
int rt_file_lock(const char *path, const char *text, struct rt_error *err);
void rt_file_unlock(int fd); /* -1 is fine */
bool rt_process_alive(int64_t pid); /* a zombie is dead */
/* A number that differs when the pid is used again (start time); 0 when unknown or dead. */
uint64_t rt_process_started(int64_t pid);
char *rt_self_path(void); /* of the program that runs; gives it, NULL unknown */

#endif
