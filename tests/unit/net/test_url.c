#include "net/http.h"
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void is(const char *text, const char *scheme, const char *host, int port, const char *path) {
    struct rt_url u;
    struct rt_error err = {0};
    assert_true(rt_url_parse(text, &u, &err));
    assert_string_equal(u.scheme, scheme);
    assert_string_equal(u.host, host);
    assert_int_equal(u.port, port);
    assert_string_equal(u.path, path);
    rt_url_deinit(&u);
}

static void an_address_has_a_host_a_port_and_a_prefix(void **state) {
    (void)state;
    is("http://127.0.0.1:8265", "http", "127.0.0.1", 8265, "");
    is("HTTPS://head-1.lab/", "https", "head-1.lab", 443, "");
    is("http://head:/team/a//?x=http://b/#y", "http", "head", 80, "/team/a");
    is("http://head?x", "http", "head", 80, "");
    is("http://head/a%20b/../c", "http", "head", 80, "/a%20b/../c");
    is("http://name:pass:word@head:1", "http", "head", 1, "");
    is("http://h\xc3\xa9\x61\x64.example:65535", "http", "h\xc3\xa9\x61\x64.example", 65535, "");
}

static void the_brackets_of_ipv6_and_its_interface_are_not_the_host(void **state) {
    (void)state;
    is("http://[::1]:8265/x", "http", "::1", 8265, "/x");
    is("https://[fe80::1%25eth0]", "https", "fe80::1", 443, "");
}

static void what_curl_might_read_otherwise_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "http://", "http://:8265", "http:///x", "http://head:0", "http://head:65536", "http://head:8265x", "http://head:+1",
        "http://head:000000001", "http://he ad", "http://head/a b", "http://head\n:1", "http://head\\@other", "http://a@b@head",
        "http://%68ead", "http://[::1", "http://[::1]8265", "http://[head]", "http://[]", "http://::1:8265", "http://he[ad", "http://[fe80::1%eth0]", "http://[fe80::1%25]", "http://user@",
        "https:head", "http:/head", "http://head\x7f",
    };
    for (size_t i = 0; i < RT_COUNT(wrong); i++) {
        struct rt_url u;
        struct rt_error err = {0};
        if (rt_url_parse(wrong[i], &u, &err))
            fail_msg("%s was accepted: host %s", wrong[i], u.host);
        assert_int_equal(err.code, RT_E_USAGE);
        assert_null(u.host);
    }
}

static void a_password_is_not_in_the_message(void **state) {
    (void)state;
    struct rt_url u;
    struct rt_error err = {0};
    assert_false(rt_url_parse("http://name:secret@he ad", &u, &err));
    assert_null(strstr(err.message, "secret"));
    assert_false(rt_url_parse("ftp://name:secret@head", &u, &err));
    assert_null(strstr(err.message, "secret"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_a_host_a_port_and_a_prefix),
        cmocka_unit_test(the_brackets_of_ipv6_and_its_interface_are_not_the_host),
        cmocka_unit_test(what_curl_might_read_otherwise_is_refused),
        cmocka_unit_test(a_password_is_not_in_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
