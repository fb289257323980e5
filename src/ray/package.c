/* A working directory as a package: Ray's own content hash, so that raytui and `ray job submit`
 * share what was uploaded once, and a zip that Ray's nodes unpack. */
#include "ray/walk.h"

#include "base/fs.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

/* Of the limit, uncompressed: beyond it no try is made. */
static const int64_t HOPELESS_FACTOR = 4;
enum { SHA1_BYTES = 20, HASH_BYTES = 8, BIGGEST = 5 };

struct source {
    const struct rt_package_opts *o;
    struct rt_walk walk;
    const char *dir; /* what the entries are relative to */
    const char *top; /* folder inside the zip; NULL */
};

static bool cancelled(const struct rt_package_opts *o) {
    return o->cancel && atomic_load(o->cancel);
}

/* ---- hash ---- */

static bool hash_content(const struct rt_package_opts *o, const char *path, EVP_MD_CTX *sha,
                         struct rt_error *err) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return rt_error_set(err, RT_E_IO, "%s: %s", path, strerror(errno));
    char *buf = rt_alloc(256 * RT_KIB);
    size_t n;
    while (!cancelled(o) && (n = fread(buf, 1, 256 * RT_KIB, f)) > 0)
        EVP_DigestUpdate(sha, buf, n);
    const bool failed = ferror(f) != 0;
    free(buf);
    fclose(f);
    if (failed)
        return rt_error_set(err, RT_E_IO, "%s: read failed", path);
    return !cancelled(o) || rt_error_set(err, RT_E_CANCELLED, "cancelled");
}

/* sha1 of the path and the content; its first bytes go into the package's hash by XOR, so order is
 * nothing. */
static bool hash_entry(const struct source *s, const struct rt_entry *e,
                       unsigned char hash[HASH_BYTES], struct rt_error *err) {
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    if (!sha || EVP_DigestInit_ex(sha, EVP_sha1(), NULL) != 1) {
        EVP_MD_CTX_free(sha);
        return rt_error_set(err, RT_E_UNSUPPORTED,
                            "this OpenSSL has no SHA-1, which Ray names packages by");
    }
    EVP_DigestUpdate(sha, e->rel, strlen(e->rel));
    bool ok = true;
    if (e->kind == RT_ENTRY_FILE) {
        char *path = rt_path_join(s->dir, e->rel);
        ok = hash_content(s->o, path, sha, err);
        free(path);
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(sha, digest, NULL);
    EVP_MD_CTX_free(sha);
    for (size_t i = 0; ok && i < HASH_BYTES; i++)
        hash[i] ^= digest[i];
    return ok;
}

static char *hex(const unsigned char *v, size_t n) {
    char *out = rt_alloc(2 * n + 1);
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", v[i]);
    return out;
}

static bool hash_tree(const struct source *s, struct rt_package *out, struct rt_error *err) {
    unsigned char hash[HASH_BYTES];
    memset(hash, '0', sizeof(hash)); /* the character: Ray begins with b"0" * 8 */
    for (size_t i = 0; i < s->walk.entries.n; i++)
        if (!hash_entry(s, &s->walk.entries.v[i], hash, err))
            return false;
    char *text = hex(hash, sizeof(hash));
    out->uri = rt_strf("gcs://_ray_pkg_%s.zip", text);
    free(text);
    return true;
}

/* ---- size ---- */

static int by_size(const void *a, const void *b) {
    const struct rt_entry *const *x = a, *const *y = b;
    return (*x)->size < (*y)->size   ? 1
           : (*x)->size > (*y)->size ? -1
                                     : strcmp((*x)->rel, (*y)->rel);
}

static void name_biggest(const struct rt_walk *w, struct rt_strs *out) {
    const struct rt_entry **v = rt_alloc((w->entries.n + 1) * sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < w->entries.n; i++)
        if (w->entries.v[i].kind == RT_ENTRY_FILE)
            v[n++] = &w->entries.v[i];
    if (n > 0)
        qsort(v, n, sizeof(*v), by_size);
    for (size_t i = 0; i < n && i < BIGGEST; i++) {
        char size[32];
        rt_strs_addf(out, "%s  %s", rt_fmt_bytes(size, sizeof(size), (double)v[i]->size),
                     v[i]->rel);
    }
    free(v);
}

static bool too_big(const struct rt_package_opts *o, const struct rt_package *p, int64_t bytes,
                    struct rt_error *err) {
    char is[32], may[32];
    rt_error_set(err, RT_E_LIMIT, "%s: the package has %s, Ray takes at most %s", o->dir,
                 rt_fmt_bytes(is, sizeof(is), (double)bytes),
                 rt_fmt_bytes(may, sizeof(may), (double)o->max_bytes));
    if (p->biggest.n == 0)
        return rt_error_hint(
            err,
            "put it where the cluster can fetch it (s3://, https://) and give that as working_dir");
    struct rt_buf names;
    rt_buf_init(&names, 4096);
    for (size_t i = 0; i < p->biggest.n; i++)
        rt_buf_addf(&names, "%s%s", i > 0 ? ", " : "", p->biggest.v[i]);
    char clean[240];
    rt_error_hint(err, "name what is not needed in .rayignore or excludes; the biggest: %s",
                  rt_clean_to(clean, sizeof(clean), rt_buf_str(&names)));
    rt_buf_deinit(&names);
    return false;
}

/* ---- zip ---- */

struct meter {
    const struct rt_package_opts *o;
    int64_t total;
};

static void zip_moved(zip_t *z, double share, void *ctx) {
    (void)z;
    const struct meter *m = ctx;
    if (m->o->progress)
        atomic_store(m->o->progress, (long long)(share * (double)m->total));
}

static int zip_cancelled(zip_t *z, void *ctx) {
    (void)z;
    const struct meter *m = ctx;
    return cancelled(m->o) ? 1 : 0;
}

static bool put_entry(zip_t *z, const struct source *s, const struct rt_entry *e,
                      struct rt_error *err) {
    char *name = s->top ? rt_strf("%s/%s", s->top, e->rel) : rt_strdup(e->rel);
    zip_int64_t index = -1;
    if (!rt_utf8_valid(name, strlen(name))) {
        rt_error_set(err, RT_E_USAGE, "%s: a file name is not UTF-8: %s", s->dir, name);
    } else if (e->kind == RT_ENTRY_EMPTY_DIR) {
        index = zip_dir_add(z, name, ZIP_FL_ENC_UTF_8);
    } else {
        char *path = rt_path_join(s->dir, e->rel);
        zip_source_t *from = zip_source_file(z, path, 0, -1);
        index = from ? zip_file_add(z, name, from, ZIP_FL_ENC_UTF_8) : -1;
        if (index < 0)
            zip_source_free(from);
        free(path);
    }
    if (index < 0 && err->code == RT_OK)
        rt_error_set(err, RT_E_IO, "%s: %s", name, zip_strerror(z));
    if (index >= 0) /* Ray restores the mode from the upper half */
        zip_file_set_external_attributes(z, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX,
                                         (zip_uint32_t)e->mode << 16);
    free(name);
    return index >= 0;
}

static bool goes_in(const struct rt_entry *e) {
    return e->kind == RT_ENTRY_FILE || (e->kind == RT_ENTRY_EMPTY_DIR && strcmp(e->rel, ".") != 0);
}

/* An archive without entries is no file for libzip: an empty directory still must arrive as one. */
static bool write_empty(const char *path, struct rt_error *err) {
    static const char end[22] = {'P', 'K', 5, 6};
    return rt_file_write(path, end, sizeof(end), err);
}

static bool zip_tree(const struct source *s, const char *path, struct rt_error *err) {
    int code = 0;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!z)
        return rt_error_set(err, RT_E_IO, "%s: cannot be made (zip error %d)", path, code);
    bool ok = true;
    size_t n = 0;
    for (size_t i = 0; ok && i < s->walk.entries.n; i++)
        if (goes_in(&s->walk.entries.v[i])) {
            ok = put_entry(z, s, &s->walk.entries.v[i], err);
            n++;
        }
    struct meter m = {s->o, s->walk.bytes};
    zip_register_progress_callback_with_state(z, 0.01, zip_moved, NULL, &m);
    zip_register_cancel_callback_with_state(z, zip_cancelled, NULL, &m);
    if (!ok || n == 0) {
        zip_discard(z);
        return ok && write_empty(path, err);
    }
    if (zip_close(z) == 0)
        return true;
    if (cancelled(s->o))
        rt_error_set(err, RT_E_CANCELLED, "cancelled");
    else
        rt_error_set(err, RT_E_IO, "%s: packing: %s", s->dir, zip_strerror(z));
    zip_discard(z);
    return false;
}

static char *temporary_file(struct rt_error *err) {
    const char *tmp = getenv("TMPDIR");
    char *path = rt_path_join(tmp && *tmp ? tmp : "/tmp", "raytui-package-XXXXXX");
    const int fd = mkstemp(path); /* 0600 */
    if (fd < 0) {
        rt_error_set(err, RT_E_IO, "%s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    close(fd);
    return path;
}

static bool file_size(const char *path, int64_t *out, struct rt_error *err) {
    struct stat st;
    if (stat(path, &st) != 0)
        return rt_error_set(err, RT_E_IO, "%s: %s", path, strerror(errno));
    *out = (int64_t)st.st_size;
    return true;
}

static bool make_zip(const struct source *s, struct rt_package *out, struct rt_error *err) {
    out->zip_path = temporary_file(err);
    if (!out->zip_path || !zip_tree(s, out->zip_path, err) ||
        !file_size(out->zip_path, &out->zip_bytes, err))
        return false;
    return s->o->max_bytes <= 0 || out->zip_bytes <= s->o->max_bytes ||
           too_big(s->o, out, out->zip_bytes, err);
}

/* ---- files instead of directories ---- */

/* An archive goes as it is, under the hash of its bytes; a wheel's own name says what is in it. */
static bool make_from_archive(const struct rt_package_opts *o, const char *name,
                              struct rt_package *out, struct rt_error *err) {
    if (!file_size(o->dir, &out->bytes, err))
        return false;
    out->files = 1;
    if (rt_ends(name, ".whl")) {
        out->uri = rt_strf("gcs://%s", name);
    } else {
        unsigned char digest[EVP_MAX_MD_SIZE];
        EVP_MD_CTX *sha = EVP_MD_CTX_new();
        bool ok = sha && EVP_DigestInit_ex(sha, EVP_sha1(), NULL) == 1 &&
                  hash_content(o, o->dir, sha, err);
        if (ok)
            EVP_DigestFinal_ex(sha, digest, NULL);
        EVP_MD_CTX_free(sha);
        if (!ok)
            return err->code != RT_OK
                       ? false
                       : rt_error_set(err, RT_E_UNSUPPORTED, "this OpenSSL has no SHA-1");
        char *text = hex(digest, SHA1_BYTES);
        out->uri = rt_strf("gcs://_ray_pkg_%s.zip", text);
        free(text);
    }
    if (o->max_bytes > 0 && out->bytes > o->max_bytes)
        return too_big(o, out, out->bytes, err);
    out->zip_bytes = out->bytes;
    out->as_is = o->make_zip ? rt_strdup(o->dir) : NULL;
    return true;
}

static void single_file(struct source *s, const char *path, const struct stat *st) {
    const char *slash = strrchr(path, '/');
    struct rt_entry *e = rt_vec_push(&s->walk.entries);
    e->rel = rt_strdup(slash ? slash + 1 : path);
    e->mode = st->st_mode;
    e->size = s->walk.bytes = (int64_t)st->st_size;
    s->walk.files = 1;
}

static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? rt_strndup(path, (size_t)RT_MAX(slash - path, 1)) : rt_strdup(".");
}

/* ---- all of it ---- */

static bool make_from_entries(const struct source *s, struct rt_package *out,
                              struct rt_error *err) {
    const struct rt_package_opts *o = s->o;
    out->files = s->walk.files;
    out->ignored = s->walk.ignored;
    out->bytes = s->walk.bytes;
    name_biggest(&s->walk, &out->biggest);
    if (o->max_bytes > 0 && out->bytes / HOPELESS_FACTOR > o->max_bytes)
        return too_big(o, out, out->bytes, err);
    return hash_tree(s, out, err) && (!o->make_zip || make_zip(s, out, err));
}

static bool make_from_dir(const struct rt_package_opts *o, struct rt_package *out,
                          struct rt_error *err) {
    struct source s = {.o = o};
    char *real = realpath(o->dir, NULL); /* "." and "x/" have no name of their own */
    s.dir = o->dir;
    const char *slash = real ? strrchr(real, '/') : NULL;
    s.top = o->top_folder && slash ? slash + 1 : NULL;
    const bool ok =
        rt_walk(o->dir, o->excludes, o->cancel, &s.walk, err) && make_from_entries(&s, out, err);
    rt_walk_deinit(&s.walk);
    free(real);
    return ok;
}

static bool make_from_module(const struct rt_package_opts *o, const struct stat *st,
                             struct rt_package *out, struct rt_error *err) {
    char *dir = parent_of(o->dir);
    struct source s = {.o = o, .dir = dir};
    single_file(&s, o->dir, st);
    const bool ok = make_from_entries(&s, out, err);
    rt_walk_deinit(&s.walk);
    free(dir);
    return ok;
}

bool rt_package_make(const struct rt_package_opts *o, struct rt_package *out,
                     struct rt_error *err) {
    *out = (struct rt_package){0};
    struct stat st;
    const char *slash = strrchr(o->dir, '/'), *name = slash ? slash + 1 : o->dir;
    bool ok;
    if (stat(o->dir, &st) != 0)
        ok = rt_error_set(err, errno == ENOENT ? RT_E_NOT_FOUND : RT_E_IO, "%s: %s", o->dir,
                          strerror(errno));
    else if (S_ISDIR(st.st_mode))
        ok = make_from_dir(o, out, err);
    else if (rt_ends(name, ".zip") || rt_ends(name, ".whl"))
        ok = make_from_archive(o, name, out, err);
    else if (rt_ends(name, ".py"))
        ok = make_from_module(o, &st, out, err);
    else
        ok = rt_error_set(err, RT_E_USAGE, "%s is neither a directory nor a .zip, .whl or .py file",
                          o->dir);
    if (!ok)
        rt_package_deinit(out);
    return ok;
}

void rt_package_deinit(struct rt_package *p) {
    if (p->zip_path)
        unlink(p->zip_path);
    free(p->zip_path);
    free(p->as_is);
    free(p->uri);
    rt_strs_deinit(&p->biggest);
    *p = (struct rt_package){0};
}
