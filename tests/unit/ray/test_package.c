/* Packages: what is in them, under which name. The names are Ray's own, had from Ray 2.60.0. */
#include <stdio.h>

#include "ray/package.h"
#include "unit/ray/tree.h"

#include <zip.h>

static struct rt_package made(const struct tree *t, const struct rt_package_opts *with) {
    struct rt_package_opts o = *with;
    struct rt_package p;
    struct rt_error err = {0};
    o.dir = o.dir ? o.dir : t->top;
    if (!rt_package_make(&o, &p, &err))
        fail_msg("%s", err.message);
    return p;
}

/* Content of an entry, "" for directories; NULL when it is not there. */
static char *entry(const char *zip_path, const char *name, unsigned *mode) {
    zip_t *z = zip_open(zip_path, ZIP_RDONLY, NULL);
    assert_non_null(z);
    zip_stat_t st;
    char *text = NULL;
    if (zip_stat(z, name, 0, &st) == 0) {
        zip_file_t *f = zip_fopen(z, name, 0);
        text = rt_alloc((size_t)st.size + 1);
        assert_int_equal(zip_fread(f, text, st.size), (zip_int64_t)st.size);
        zip_fclose(f);
        zip_uint8_t system;
        zip_uint32_t attributes;
        zip_file_get_external_attributes(z, st.index, 0, &system, &attributes);
        assert_int_equal(system, ZIP_OPSYS_UNIX);
        if (mode)
            *mode = attributes >> 16;
    }
    zip_discard(z);
    return text;
}

static void assert_entry(const struct rt_package *p, const char *name, const char *text) {
    char *is = entry(p->zip_path, name, NULL);
    if (text)
        assert_string_equal(is, text);
    else
        assert_null(is);
    free(is);
}

static void an_empty_directory_has_rays_name(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    struct rt_package p = made(&t, &(struct rt_package_opts){.make_zip = true});
    assert_string_equal(p.uri, "gcs://_ray_pkg_0a62fe483960e4e9.zip");
    assert_int_equal(p.files, 0);
    zip_t *z = zip_open(p.zip_path, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    assert_non_null(z);
    zip_discard(z);
    rt_package_deinit(&p);
    tree_close(&t);
}

static void the_name_depends_on_paths_and_content_only(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "main.py", "print(1)\n");
    tree_put(&t, "pkg/__init__.py", "");
    tree_dir(&t, "empty");
    struct rt_package p = made(&t, &(struct rt_package_opts){0});
    assert_string_equal(p.uri, "gcs://_ray_pkg_13bd4edd29970464.zip");
    assert_int_equal(p.files, 2);
    assert_int_equal(p.bytes, 9);
    assert_null(p.zip_path);
    char *first = rt_strdup(p.uri);
    rt_package_deinit(&p);
    tree_mode(&t, "main.py", 0755);
    p = made(&t, &(struct rt_package_opts){0});
    assert_string_equal(p.uri, first);
    rt_package_deinit(&p);
    tree_put(&t, "main.py", "print(2)\n");
    p = made(&t, &(struct rt_package_opts){0});
    assert_string_not_equal(p.uri, first);
    rt_package_deinit(&p);
    free(first);
    tree_close(&t);
}

static void modes_links_and_empty_directories_arrive(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "run.sh", "#!/bin/sh\n");
    tree_mode(&t, "run.sh", 0755);
    tree_put(&t, "sub/data.txt", "data");
    tree_link(&t, "sub/data.txt", "link.txt");
    tree_link(&t, "sub", "linkdir");
    tree_link(&t, "nowhere", "broken");
    tree_dir(&t, "empty");
    tree_put(&t, "n\xc3\xa4me", "x");
    struct rt_package p = made(&t, &(struct rt_package_opts){.make_zip = true});
    unsigned mode = 0;
    char *text = entry(p.zip_path, "run.sh", &mode);
    assert_string_equal(text, "#!/bin/sh\n");
    assert_int_equal(mode, 0100755);
    free(text);
    assert_entry(&p, "link.txt", "data");
    assert_entry(&p, "linkdir/data.txt", "data");
    assert_entry(&p, "empty/", "");
    assert_entry(&p, "broken", NULL);
    assert_entry(&p, "sub/", NULL);
    assert_entry(&p, "n\xc3\xa4me", "x");
    rt_package_deinit(&p);
    tree_close(&t);
}

static void ignore_files_of_every_level_and_excludes_count(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, ".gitignore", "*.log\n!keep.log\nbuild/\n");
    tree_put(&t, ".rayignore", "/data\n");
    tree_put(&t, "a.log", "x");
    tree_put(&t, "keep.log", "kept");
    tree_put(&t, "build/out", "x");
    tree_put(&t, "data/big", "x");
    tree_put(&t, "sub/.gitignore", "/local\n");
    tree_put(&t, "sub/local", "x");
    tree_put(&t, "sub/deep/local", "stays");
    tree_put(&t, ".cache/.gitignore", "*\n");
    tree_put(&t, ".cache/x", "x");
    tree_put(&t, "notes.md", "x");
    struct rt_strs excludes = {0};
    rt_strs_add(&excludes, "*.md");
    struct rt_package p =
        made(&t, &(struct rt_package_opts){.make_zip = true, .excludes = &excludes});
    assert_entry(&p, "a.log", NULL);
    assert_entry(&p, "keep.log", "kept");
    assert_entry(&p, "build/out", NULL);
    assert_entry(&p, "data/big", NULL);
    assert_entry(&p, "sub/local", NULL);
    assert_entry(&p, "sub/deep/local", "stays");
    assert_entry(&p, ".cache/x", NULL);
    assert_entry(&p, "notes.md", NULL);
    assert_entry(&p, ".gitignore", "*.log\n!keep.log\nbuild/\n");
    assert_int_equal(p.ignored, 6);
    rt_package_deinit(&p);
    rt_strs_deinit(&excludes);
    tree_close(&t);
}

static void a_module_keeps_its_folder(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "mymod/__init__.py", "x = 1\n");
    char *dir = tree_path(&t, "mymod/");
    struct rt_package p =
        made(&t, &(struct rt_package_opts){.dir = dir, .top_folder = true, .make_zip = true});
    assert_entry(&p, "mymod/__init__.py", "x = 1\n");
    rt_package_deinit(&p);
    free(dir);
    tree_close(&t);
}

static void archives_and_wheels_go_as_they_are(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_put(&t, "x-1.0-py3-none-any.whl", "wheel");
    tree_put(&t, "app.zip", "zip");
    tree_put(&t, "one.py", "x = 1\n");
    char *wheel = tree_path(&t, "x-1.0-py3-none-any.whl"), *zip = tree_path(&t, "app.zip"),
         *module = tree_path(&t, "one.py");
    struct rt_package p = made(&t, &(struct rt_package_opts){.dir = wheel, .make_zip = true});
    assert_string_equal(p.uri, "gcs://x-1.0-py3-none-any.whl");
    assert_string_equal(p.as_is, wheel);
    rt_package_deinit(&p);
    p = made(&t, &(struct rt_package_opts){.dir = zip, .make_zip = true});
    assert_string_equal(p.uri, "gcs://_ray_pkg_f13e27693c85aed522df8c3fcb0bb0110ca54e14.zip");
    rt_package_deinit(&p);
    p = made(&t, &(struct rt_package_opts){.dir = module, .make_zip = true, .top_folder = true});
    assert_entry(&p, "one.py", "x = 1\n");
    rt_package_deinit(&p);
    assert_true(rt_file_exists(wheel) && rt_file_exists(zip));
    free(wheel);
    free(zip);
    free(module);
    tree_close(&t);
}

static void noise(const struct tree *t, const char *name, size_t n) {
    char *text = rt_alloc(n + 1);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        text[i] = (char)('!' + x % 90);
    }
    tree_put(t, name, text);
    free(text);
}

static void what_is_too_big_names_the_biggest(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    noise(&t, "data/huge.bin", 300000);
    noise(&t, "small", 1000);
    struct rt_package p;
    struct rt_error err = {0};
    const struct rt_package_opts packed = {.dir = t.top, .make_zip = true, .max_bytes = 100000};
    assert_false(rt_package_make(&packed, &p, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
    assert_true(strstr(err.hint, "data/huge.bin") != NULL);
    const struct rt_package_opts hopeless = {.dir = t.top,
                                             .max_bytes = 1000}; /* said before anything is read */
    assert_false(rt_package_make(&hopeless, &p, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
    tree_close(&t);
}

static void a_link_that_leads_back_is_an_error(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_dir(&t, "a/b");
    tree_link(&t, "../..", "a/b/up");
    struct rt_package p;
    struct rt_error err = {0};
    assert_false(rt_package_make(&(struct rt_package_opts){.dir = t.top}, &p, &err));
    assert_true(strstr(err.message, "a/b/up leads back") != NULL);
    tree_close(&t);
}

static void what_is_not_there_is_not_found(void **state) {
    (void)state;
    struct rt_package p;
    struct rt_error err = {0};
    assert_false(rt_package_make(&(struct rt_package_opts){.dir = "/no/such/dir"}, &p, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
}

static void cancelling_leaves_no_file_behind(void **state) {
    (void)state;
    struct tree t;
    tree_open(&t);
    tree_dir(&t, "tmp");
    tree_put(&t, "src/a", "a");
    char *tmp = tree_path(&t, "tmp"), *src = tree_path(&t, "src");
    setenv("TMPDIR", tmp, 1);
    atomic_bool cancel = true;
    struct rt_package p;
    struct rt_error err = {0};
    assert_false(rt_package_make(
        &(struct rt_package_opts){.dir = src, .make_zip = true, .cancel = &cancel}, &p, &err));
    assert_int_equal(err.code, RT_E_CANCELLED);
    p = made(&t, &(struct rt_package_opts){.dir = src, .make_zip = true});
    assert_true(rt_starts(p.zip_path, tmp));
    rt_package_deinit(&p);
    assert_int_equal(rmdir(tmp), 0); /* empty again */
    unsetenv("TMPDIR");
    free(tmp);
    free(src);
    tree_close(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_directory_has_rays_name),
        cmocka_unit_test(the_name_depends_on_paths_and_content_only),
        cmocka_unit_test(modes_links_and_empty_directories_arrive),
        cmocka_unit_test(ignore_files_of_every_level_and_excludes_count),
        cmocka_unit_test(a_module_keeps_its_folder),
        cmocka_unit_test(archives_and_wheels_go_as_they_are),
        cmocka_unit_test(what_is_too_big_names_the_biggest),
        cmocka_unit_test(a_link_that_leads_back_is_an_error),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(cancelling_leaves_no_file_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
