/* known_hosts files and key files: what is told of them without a connection. */
#include "net/ssh.h"

#include "base/fs.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIFCavTy1bP8YsUmjm3YT8FBqQdrcRelAJ4BlUnzKzyoe"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIMt2WzDRc1euGQzmL60nfz69oJJ4cx5zAnn01o/0n76V"
#define FINGERPRINT "SHA256:acixaPfk3uukh0MhSgyfsuOD64QjOGqHNZD76cbr+8I"
#define LAB1_HASHED "|1|S2OcCxnqvgzskt3udxSJDgeIr7o=|N2y4OCov6HDr5lhXGMtgi0Q6a4w="
#define LAB2_2222_HASHED "|1|vwlIARf1WaVZgefadrNAFyH2vDc=|ombs9hHRGHoHwC0F8CVCa6gNH9U="

static char path[] = "/tmp/rt-known-XXXXXX";
static struct rt_strs files;

static struct rt_known_finding check(const char *text, const char *host, int port) {
    struct rt_known_finding f;
    struct rt_error err;
    size_t n;
    char *name = rt_known_name(host, port);
    unsigned char *key = rt_ssh_base64(KEY, strlen(KEY), &n);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    rt_known_check(&files, name, key, n, &f);
    free(key);
    free(name);
    return f;
}

static enum rt_known state_of(const char *text, const char *host, int port) {
    return check(text, host, port).state;
}

static void finds_plain_and_listed_names(void **state) {
    (void)state;
    assert_int_equal(state_of("# a comment\n\nlab1 ssh-ed25519 " KEY " me@home\n", "lab1", 22),
                     RT_KNOWN_YES);
    assert_int_equal(state_of("a,lab1,b ssh-ed25519 " KEY "\r\n", "LAB1", 22), RT_KNOWN_YES);
    assert_int_equal(state_of("lab1 ssh-ed25519 " KEY, "lab11", 22), RT_KNOWN_NOT);
    assert_int_equal(state_of("", "lab1", 22), RT_KNOWN_NOT);
}

static void finds_patterns_and_respects_negations(void **state) {
    (void)state;
    assert_int_equal(state_of("*.hpc.example ssh-ed25519 " KEY "\n", "login1.hpc.example", 22),
                     RT_KNOWN_YES);
    assert_int_equal(state_of("lab? ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_YES);
    assert_int_equal(state_of("lab?,!lab1 ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_NOT);
    assert_int_equal(state_of("!lab2,lab* ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_YES);
}

static void finds_hashed_names(void **state) {
    (void)state;
    assert_int_equal(state_of(LAB1_HASHED " ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_YES);
    assert_int_equal(state_of(LAB1_HASHED " ssh-ed25519 " KEY "\n", "lab2", 22), RT_KNOWN_NOT);
    assert_int_equal(state_of(LAB2_2222_HASHED " ssh-ed25519 " KEY "\n", "lab2", 2222),
                     RT_KNOWN_YES);
    assert_int_equal(state_of("|1|broken ssh-ed25519 " KEY "\n", "lab2", 22), RT_KNOWN_NOT);
}

static void a_port_has_its_own_name_but_the_bare_key_counts(void **state) {
    (void)state;
    assert_int_equal(state_of("[lab1]:2222 ssh-ed25519 " KEY "\n", "lab1", 2222), RT_KNOWN_YES);
    assert_int_equal(state_of("[lab1]:2222 ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_NOT);
    assert_int_equal(state_of("lab1 ssh-ed25519 " KEY "\n", "lab1", 2222), RT_KNOWN_YES);
    assert_int_equal(state_of("lab1 ssh-ed25519 " OTHER "\n", "lab1", 2222), RT_KNOWN_NOT);
}

static void a_changed_key_is_named_by_its_line(void **state) {
    struct rt_known_finding f =
        check("x ssh-ed25519 " KEY "\nlab1 ssh-ed25519 " OTHER "\n", "lab1", 22);
    (void)state;
    assert_int_equal(f.state, RT_KNOWN_CHANGED);
    assert_int_equal(f.line, 2);
    assert_string_equal(f.file, path);
    /* One right line among wrong ones is enough. */
    assert_int_equal(state_of("lab1 ssh-ed25519 " OTHER "\nlab1 ssh-ed25519 " KEY "\n", "lab1", 22),
                     RT_KNOWN_YES);
}

static void a_key_of_another_type_is_no_change(void **state) {
    struct rt_known_finding f =
        check("lab1 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==\n", "lab1", 22);
    (void)state;
    assert_int_equal(f.state, RT_KNOWN_NOT);
    assert_true(f.other_type);
}

static void a_revoked_key_stays_revoked_whatever_else_stands_there(void **state) {
    struct rt_known_finding f =
        check("lab1 ssh-ed25519 " KEY "\n@revoked * ssh-ed25519 " KEY "\n", "lab1", 22);
    (void)state;
    assert_int_equal(f.state, RT_KNOWN_REVOKED);
    assert_int_equal(f.line, 2);
    assert_int_equal(
        state_of("@revoked lab1 ssh-ed25519 " OTHER "\nlab1 ssh-ed25519 " KEY "\n", "lab1", 22),
        RT_KNOWN_YES);
}

static void an_authority_is_seen_and_is_no_key(void **state) {
    struct rt_known_finding f =
        check("@cert-authority *.example ssh-ed25519 " KEY "\n", "lab1.example", 22);
    (void)state;
    assert_int_equal(f.state, RT_KNOWN_NOT);
    assert_true(f.authority);
    assert_int_equal(state_of("@new-marker lab1 ssh-ed25519 " KEY "\n", "lab1", 22), RT_KNOWN_NOT);
}

static void lists_the_types_that_are_known(void **state) {
    struct rt_strs types = {0};
    struct rt_error err;
    const char *text = "lab1 ssh-rsa AAAA\nlab1 ssh-ed25519 " KEY
                       "\nlab2 ecdsa-sha2-nistp256 AAAA\nlab1 ssh-rsa BBBB\n";
    (void)state;
    assert_true(rt_file_write(path, text, strlen(text), &err));
    rt_known_types(&files, "lab1", &types);
    assert_int_equal(types.n, 2);
    assert_string_equal(types.v[0], "ssh-rsa");
    assert_string_equal(types.v[1], "ssh-ed25519");
    rt_strs_deinit(&types);
}

static void what_is_appended_is_found_again(void **state) {
    struct rt_error err;
    struct rt_known_finding f;
    size_t n;
    unsigned char *key = rt_ssh_base64(KEY, strlen(KEY), &n);
    char *name = rt_known_name("lab9", 2200);
    (void)state;
    assert_true(rt_file_write(path, "open end", 8, &err));
    assert_true(rt_known_append(path, name, key, n, &err));
    rt_known_check(&files, name, key, n, &f);
    assert_int_equal(f.state, RT_KNOWN_YES);
    free(name);
    free(key);
}

static void prints_fingerprints_as_openssh_does(void **state) {
    char text[80];
    size_t n;
    unsigned char *key = rt_ssh_base64(KEY, strlen(KEY), &n);
    (void)state;
    rt_ssh_fingerprint(key, n, text, sizeof text);
    assert_string_equal(text, FINGERPRINT);
    free(key);
}

/* The heads of two key files: cipher, key derivation, public key. The private part is not there. */
static const char plain_key[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
    "QyNTUxOQAAACBQmr08tWz/GLFJo5t2E/BQakHa3EXpQCeAZVJ8ys8qHg==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";
static const char encrypted_key[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAwMTIzND\n"
    "U2Nzg5YWJjZGVmAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIFCavTy1bP8YsUmj\n"
    "m3YT8FBqQdrcRelAJ4BlUnzKzyoe\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static void inspect(const char *text, struct rt_ssh_key *k) {
    struct rt_error err;
    assert_true(rt_file_write(path, text, strlen(text), &err));
    rt_ssh_key_inspect(path, k);
}

static void sees_whether_a_key_is_encrypted(void **state) {
    struct rt_ssh_key k;
    (void)state;
    inspect(plain_key, &k);
    assert_true(k.readable);
    assert_false(k.encrypted);
    assert_string_equal(k.type, "ssh-ed25519");
    assert_non_null(k.blob);
    rt_ssh_key_deinit(&k);
    inspect(encrypted_key, &k);
    assert_true(k.readable);
    assert_true(k.encrypted);
    assert_string_equal(k.type, "ssh-ed25519"); /* the public half is in clear */
    rt_ssh_key_deinit(&k);
    inspect("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", &k);
    assert_true(k.readable);
    assert_true(k.encrypted);
    assert_string_equal(k.type, "ssh-rsa");
    rt_ssh_key_deinit(&k);
}

static void a_public_half_alone_stands_for_a_key_in_an_agent(void **state) {
    struct rt_ssh_key k;
    (void)state;
    inspect("ssh-ed25519 " KEY " me@home\n", &k);
    assert_true(k.public_only);
    assert_false(k.readable);
    rt_ssh_key_deinit(&k);
    rt_ssh_key_inspect("/nowhere/at/all", &k);
    assert_false(k.readable);
    assert_null(k.blob);
    rt_ssh_key_deinit(&k);
}

static void broken_key_files_are_no_keys(void **state) {
    static const char *const texts[] = {
        "",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "\n\n\n"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_ssh_key k;
        struct rt_error err;
        assert_true(rt_file_write(path, texts[i], strlen(texts[i]), &err));
        rt_ssh_key_inspect(path, &k);
        assert_false(k.readable);
        assert_null(k.blob);
        rt_ssh_key_deinit(&k);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_plain_and_listed_names),
        cmocka_unit_test(finds_patterns_and_respects_negations),
        cmocka_unit_test(finds_hashed_names),
        cmocka_unit_test(a_port_has_its_own_name_but_the_bare_key_counts),
        cmocka_unit_test(a_changed_key_is_named_by_its_line),
        cmocka_unit_test(a_key_of_another_type_is_no_change),
        cmocka_unit_test(a_revoked_key_stays_revoked_whatever_else_stands_there),
        cmocka_unit_test(an_authority_is_seen_and_is_no_key),
        cmocka_unit_test(lists_the_types_that_are_known),
        cmocka_unit_test(what_is_appended_is_found_again),
        cmocka_unit_test(prints_fingerprints_as_openssh_does),
        cmocka_unit_test(sees_whether_a_key_is_encrypted),
        cmocka_unit_test(a_public_half_alone_stands_for_a_key_in_an_agent),
        cmocka_unit_test(broken_key_files_are_no_keys),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    rt_strs_add(&files, path);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rt_strs_deinit(&files);
    return rc;
}
