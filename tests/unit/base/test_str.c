#include "base/mem.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void comparing_takes_null(void **state) {
    (void)state;
    assert_true(rt_streq(NULL, NULL));
    assert_false(rt_streq(NULL, ""));
    assert_true(rt_streq("a", "a"));
    assert_true(rt_strcmp(NULL, "") < 0);
    assert_true(rt_strcmp("", NULL) > 0);
    assert_true(rt_natcmp(NULL, "a") < 0);
    assert_int_equal(rt_natcmp(NULL, NULL), 0);
    assert_false(rt_starts(NULL, "a"));
    assert_false(rt_ends(NULL, "a"));
}

static void starts_and_ends_look_at_whole_affixes(void **state) {
    (void)state;
    assert_true(rt_starts("raysubmit_1", "raysubmit_"));
    assert_false(rt_starts("ray", "rays"));
    assert_true(rt_starts("x", ""));
    assert_true(rt_ends("a.yaml", ".yaml"));
    assert_false(rt_ends("yaml", ".yaml"));
    assert_true(rt_ends("x", ""));
}

static int sign(int v) {
    return (v > 0) - (v < 0);
}

static void natural_order_is_a_total_order(void **state) {
    (void)state;
    static const char *const sorted[] = {"",
                                         "1",
                                         "01x",
                                         "2",
                                         "10",
                                         "010a",
                                         "99999999999999999999",
                                         "100000000000000000000",
                                         "a",
                                         "a1",
                                         "a01",
                                         "a1b",
                                         "a2",
                                         "a10",
                                         "a10b2",
                                         "a10b10",
                                         "node",
                                         "node-2",
                                         "node1",
                                         "node2",
                                         "node10",
                                         "node10a",
                                         "x"};
    for (size_t i = 0; i < RT_COUNT(sorted); i++)
        for (size_t k = 0; k < RT_COUNT(sorted); k++)
            assert_int_equal(sign(rt_natcmp(sorted[i], sorted[k])),
                             -sign(rt_natcmp(sorted[k], sorted[i])));
    assert_true(rt_natcmp("node2", "node10") < 0);
    assert_true(rt_natcmp("node10", "node10a") < 0);
    assert_true(rt_natcmp("99999999999999999999", "100000000000000000000") < 0);
    assert_true(rt_natcmp("a007", "a7") != 0);
    assert_true(rt_natcmp("a007b1", "a7b2") < 0);
    assert_int_equal(rt_natcmp("same12", "same12"), 0);
}

static void searching_ignores_ascii_case(void **state) {
    (void)state;
    assert_true(rt_contains_i("Hello World", "o wO"));
    assert_false(rt_contains_i("Hello", "hellos"));
    assert_true(rt_contains_i(NULL, ""));
    assert_false(rt_contains_i(NULL, "a"));
    assert_true(rt_contains_i("aab", "AB"));
    assert_true(rt_fuzzy_i("Python Train.py", "pttr"));
    assert_false(rt_fuzzy_i("abc", "acb"));
    assert_true(rt_fuzzy_i("", ""));
    assert_true(rt_fuzzy_i(NULL, ""));
    assert_false(rt_fuzzy_i(NULL, "x"));
}

static void the_nearest_word_is_found_when_it_is_near(void **state) {
    (void)state;
    static const char *const words[] = {"partition", "walltime", "workers", "up", "down", NULL};
    assert_string_equal(rt_nearest("partion", words), "partition");
    assert_string_equal(rt_nearest("PARTITION", words), "partition");
    assert_string_equal(rt_nearest("patrition", words), "partition");
    assert_string_equal(rt_nearest("worker", words), "workers");
    assert_string_equal(rt_nearest("dwon", words), "down");
    assert_null(rt_nearest("zebra", words));
    assert_null(rt_nearest("", words));
    assert_null(rt_nearest(NULL, words));
    assert_null(rt_nearest("xy", words)); /* all of it would have to change */
    assert_null(rt_nearest("dot", words)); /* half of it would */
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(rt_nearest(longer, words));
}

/* ---- UTF-8 ---- */

static void every_code_point_goes_there_and_back(void **state) {
    (void)state;
    for (int32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char s[4];
        int32_t back;
        size_t n = rt_utf8_encode(cp, s);
        assert_int_equal(rt_utf8_next(s, n, &back), n);
        assert_int_equal(back, cp >= 0xD800 && cp <= 0xDFFF ? 0xFFFD : cp);
        if (n > 1) {
            assert_int_equal(rt_utf8_next(s, n - 1, &back), 1);
            assert_int_equal(back, -1);
        }
    }
}

static void bad_utf8_is_found_byte_by_byte(void **state) {
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xc3(",
                                      "\xe2\x82(",
                                      "\xf0\x9f\x98("};
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        int32_t cp;
        assert_int_equal(rt_utf8_next(bad[i], strlen(bad[i]), &cp), 1);
        assert_int_equal(cp, -1);
        assert_false(rt_utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_true(rt_utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    assert_true(rt_utf8_valid("", 0));
}

static void widths_do_not_need_a_locale(void **state) {
    (void)state;
    static const struct {
        int32_t cp;
        int width;
    } cases[] = {{'a', 1},      {' ', 1},     {0, -1},      {0x1B, -1},  {0x7F, -1},
                 {0x9B, -1},    {-1, -1},     {0xE4, 1},    {0x301, 0},  {0x4E2D, 2},
                 {0xFF21, 2},   {0x1F600, 2}, {0x200B, 0},  {0xFE0F, 0}, {0x2026, 1},
                 {0x25CF, 1},   {0x2713, 1},  {0x2500, 1},  {0x28FF, 1}, {0x1F1E6, 1},
                 {0xAC00, 2},   {0x1161, 0},  {0x20000, 2}, {0xE000, 1}, {0x110000, -1},
                 {0x10FFFF, 1}, {0x3000, 2},  {0x2329, 2},  {0x378, 1},  {0xE0001, 0},
                 {0xEFFFD, 1},  {0x1FAE8, 2}};
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        if (rt_cp_width(cases[i].cp) != cases[i].width)
            fail_msg("U+%04X: %d columns", (unsigned)cases[i].cp, rt_cp_width(cases[i].cp));
    assert_int_equal(rt_width("a\xe4\xb8\xad\xcc\x81z", 7), 4);
}

/* ---- cleaning ---- */

static void check_clean(const char *s, size_t n, const char *want) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_clean(&out, s, n);
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

static void foreign_text_is_made_harmless(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"plain text", "plain text"},
        {"\x1b[31mred\x1b[0m", "^[[31mred^[[0m"},
        {"\x1b]0;title\x07", "^[]0;title^G"},
        {"a\nb\tc\r\nd\re", "a b c d^Me"},
        {"del\x7f", "del^?"},
        {"\xc2\x9b"
         "31m",
         "<U+009B>31m"},
        {"\x9b"
         "31m",
         "\\x9b31m"},
        {"\xff\xfe\xc3", "\\xff\\xfe\\xc3"},
        {"\xe2\x80\xae"
         "evil\xe2\x80\xac",
         "<U+202E>evil<U+202C>"},
        {"\xe2\x81\xa6x\xe2\x81\xa9", "<U+2066>x<U+2069>"},
        {"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "<U+200B><U+FEFF><U+00AD>"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "<U+2028><U+2029>"},
        {"\xf3\xa0\x81\x81", "<U+E0041>"},
        {"\xd8\x9c", "<U+061C>"},
        {"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80", "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        check_clean(cases[i][0], strlen(cases[i][0]), cases[i][1]);
    check_clean("a\0b", 3, "a^@b");
}

/* What a terminal would take for an order: C0, C1 (as bytes or as characters) and DEL. */
static bool harmless(const char *s) {
    for (size_t i = 0, n = strlen(s); i < n;) {
        int32_t cp;
        i += rt_utf8_next(s + i, n - i, &cp);
        if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp >= 0x202A && cp <= 0x202E) ||
            (cp >= 0x2066 && cp <= 0x2069))
            return false;
    }
    return true;
}

static void no_pair_of_bytes_gets_through(void **state) {
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 0);
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            char text[3] = {(char)a, (char)b, '\0'}, small[40];
            rt_buf_clear(&out);
            rt_clean(&out, text, 2);
            assert_true(harmless(rt_buf_str(&out)));
            assert_true(harmless(rt_clean_to(small, sizeof small, text)));
            if (a && b)
                assert_string_equal(small, rt_buf_str(&out));
        }
    rt_buf_deinit(&out);
}

static void cleaning_twice_changes_nothing(void **state) {
    (void)state;
    char once[300], twice[300];
    rt_clean_to(once, sizeof once, "a\x1b[2J\xe2\x80\xae\xff\n\xc3\xa4");
    rt_clean_to(twice, sizeof twice, once);
    assert_string_equal(once, twice);
}

static void cleaning_into_memory_cuts_on_a_border(void **state) {
    (void)state;
    char out[8];
    assert_string_equal(rt_clean_to(out, 4, "ab\xc3\xa4"), "ab");
    assert_string_equal(rt_clean_to(out, 5, "ab\xc3\xa4"), "ab\xc3\xa4");
    assert_string_equal(rt_clean_to(out, 4, "abc\x1b"), "abc");
    assert_string_equal(rt_clean_to(out, 4, "ab\x1b"), "ab");
    assert_string_equal(rt_clean_to(out, 1, "a"), "");
    assert_string_equal(rt_clean_to(out, 8, NULL), "");
    out[0] = 'x';
    rt_clean_to(out, 0, "a");
    assert_int_equal(out[0], 'x');
}

/* ---- fitting ---- */

static void check_fit(const char *s, int cols, enum rt_cut cut, bool ascii, const char *want) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    int used = rt_fit(&out, s, cols, cut, ascii);
    assert_string_equal(rt_buf_str(&out), want);
    assert_int_equal(used, rt_width(rt_buf_str(&out), out.len));
    rt_buf_deinit(&out);
}

static void text_is_cut_by_columns(void **state) {
    (void)state;
    check_fit("abcdef", 6, RT_CUT_RIGHT, true, "abcdef");
    check_fit("abcdef", 5, RT_CUT_RIGHT, true, "abcd~");
    check_fit("abcdef", 5, RT_CUT_LEFT, true, "~cdef");
    check_fit("abcdef", 5, RT_CUT_MIDDLE, true, "ab~ef");
    check_fit("abcdef", 4, RT_CUT_MIDDLE, true, "ab~f");
    check_fit("abcdef", 1, RT_CUT_MIDDLE, true, "~");
    check_fit("abcdef", 0, RT_CUT_RIGHT, true, "");
    check_fit("abcdef", -3, RT_CUT_RIGHT, true, "");
    check_fit("abcdef", 3, RT_CUT_RIGHT, false, "ab\xe2\x80\xa6");
    check_fit(NULL, 3, RT_CUT_RIGHT, false, "");
    /* wide characters are never halved, marks stay with their letter */
    check_fit("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad", 4, RT_CUT_RIGHT, true, "\xe4\xb8\xad~");
    check_fit("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad", 4, RT_CUT_LEFT, true, "~\xe4\xb8\xad");
    check_fit("e\xcc\x81"
              "e\xcc\x81"
              "e\xcc\x81",
              2, RT_CUT_RIGHT, true, "e\xcc\x81~");
    check_fit("e\xcc\x81"
              "e\xcc\x81"
              "e\xcc\x81",
              2, RT_CUT_LEFT, true, "~e\xcc\x81");
}

static void no_cut_is_wider_than_asked(void **state) {
    (void)state;
    static const char *const texts[] = {"raysubmit_0123456789",
                                        "\xe4\xb8\xad"
                                        "a\xe4\xb8\xad"
                                        "b\xe4\xb8\xad\xe4\xb8\xad"
                                        "c",
                                        "a\xcc\x81\xe4\xb8\xad\xcc\x81z\xff"};
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        for (int cols = 0; cols < 25; cols++)
            for (int cut = RT_CUT_RIGHT; cut <= RT_CUT_MIDDLE; cut++) {
                struct rt_buf out;
                rt_buf_init(&out, 0);
                int used = rt_fit(&out, texts[i], cols, (enum rt_cut)cut, false);
                assert_true(used <= cols);
                assert_int_equal(used, rt_width(rt_buf_str(&out), out.len));
                if (rt_width(texts[i], strlen(texts[i])) > cols && cols > 0)
                    assert_true(used >= cols - 1);
                rt_buf_deinit(&out);
            }
}

/* ---- showing numbers ---- */

static void ages_have_two_units(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *want;
    } cases[] = {{0, "0s"},
                 {999, "0s"},
                 {1000, "1s"},
                 {59999, "59s"},
                 {60000, "1m"},
                 {192000, "3m12s"},
                 {3600000, "1h"},
                 {3900000, "1h5m"},
                 {86399999, "23h59m"},
                 {187200000, "2d4h"},
                 {86400000, "1d"},
                 {-1, "-"},
                 {INT64_MIN, "-"},
                 {INT64_MAX, "106751991167d7h"}};
    char out[40];
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_string_equal(rt_fmt_age(out, sizeof out, cases[i].ms), cases[i].want);
}

static void sizes_have_three_digits(void **state) {
    (void)state;
    static const struct {
        double bytes;
        const char *want;
    } cases[] = {{0, "0B"},           {512, "512B"},
                 {1023, "1023B"},     {1024, "1K"},
                 {1536, "1.5K"},      {1048575, "1M"},
                 {536870912, "512M"}, {13206896640., "12.3G"},
                 {1e18, "888P"},      {1e30, "867361737988E"},
                 {102400, "100K"},    {102348, "99.9K"},
                 {102399, "100K"},    {-1, "-"},
                 {NAN, "-"},          {INFINITY, "-"}};
    char out[40];
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_string_equal(rt_fmt_bytes(out, sizeof out, cases[i].bytes), cases[i].want);
}

static void counts_are_grouped_and_amounts_are_short(void **state) {
    (void)state;
    char out[40];
    assert_string_equal(rt_fmt_count(out, sizeof out, 0), "0");
    assert_string_equal(rt_fmt_count(out, sizeof out, 999), "999");
    assert_string_equal(rt_fmt_count(out, sizeof out, 1042), "1,042");
    assert_string_equal(rt_fmt_count(out, sizeof out, -123456), "-123,456");
    assert_string_equal(rt_fmt_count(out, sizeof out, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(rt_fmt_amount(out, sizeof out, 2), "2");
    assert_string_equal(rt_fmt_amount(out, sizeof out, 0.5), "0.5");
    assert_string_equal(rt_fmt_amount(out, sizeof out, 1.0 / 3), "0.33");
    assert_string_equal(rt_fmt_amount(out, sizeof out, -0.001), "0");
    assert_string_equal(rt_fmt_amount(out, sizeof out, 1000), "1000");
    assert_string_equal(rt_fmt_count(out, 3, 1042), "1,");
}

static void times_depend_on_how_far_they_are(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    const int64_t now = 1795235763000; /* 2026-11-21T04:36:03Z */
    char out[40];
    assert_string_equal(rt_fmt_iso(out, sizeof out, now), "2026-11-21T04:36:03Z");
    assert_string_equal(rt_fmt_clock(out, sizeof out, now - 60000, now), "04:35");
    assert_string_equal(rt_fmt_clock(out, sizeof out, now - 86400000, now), "Nov 20");
    assert_string_equal(rt_fmt_clock(out, sizeof out, now - 366 * INT64_C(86400000), now),
                        "2025-11-20");
    assert_string_equal(rt_fmt_clock(out, sizeof out, -1, now), "-");
    assert_string_equal(rt_fmt_iso(out, sizeof out, -1), "-");
    assert_string_equal(rt_fmt_iso(out, sizeof out, INT64_MAX), "-");
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    if (strcmp(rt_fmt_clock(out, sizeof out, now, now), "04:36") !=
        0) /* the zone may not be installed */
        assert_string_equal(out, "13:36");
}

/* ---- reading numbers ---- */

static void integers_are_read_whole_or_not_at_all(void **state) {
    (void)state;
    int64_t v = 0;
    assert_true(rt_parse_i64("9223372036854775807", &v) && v == INT64_MAX);
    assert_true(rt_parse_i64("-9223372036854775808", &v) && v == INT64_MIN);
    assert_true(rt_parse_i64("+7", &v) && v == 7);
    assert_true(rt_parse_i64("007", &v) && v == 7);
    static const char *const bad[] = {
        "", " 1", "1 ", "1.0", "0x1", "-", "+", "9223372036854775808", "one", "- 1", NULL};
    for (size_t i = 0; i < RT_COUNT(bad); i++)
        assert_false(rt_parse_i64(bad[i], &v));
}

static void reals_are_read_with_a_point(void **state) {
    (void)state;
    double v = 0;
    assert_true(rt_parse_f64("1.5", &v) && v == 1.5);
    assert_true(rt_parse_f64("-.5e1", &v) && v == -5);
    assert_true(rt_parse_f64("2.", &v) && v == 2);
    assert_true(rt_parse_f64("1E3", &v) && v == 1000);
    static const char *const bad[] = {"",   ".",     "1,5", "nan", "inf", "0x1p3",
                                      "1e", "1e999", " 1",  "1 ",  "--1", NULL};
    for (size_t i = 0; i < RT_COUNT(bad); i++)
        assert_false(rt_parse_f64(bad[i], &v));
}

static void durations_come_in_many_spellings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"90s", 90000},
                 {"15m", 900000},
                 {"4h", 14400000},
                 {"2d", 172800000},
                 {"1h30m", 5400000},
                 {"1d2h3m4s", 93784000},
                 {"250ms", 250},
                 {"45", 45000},
                 {"1.5h", 5400000},
                 {"0", 0},
                 {"0s", 0},
                 {"01:30:00", 5400000},
                 {"1-02:03:04", 93784000},
                 {"12:34", 754000},
                 {"2-12", 216000000},
                 {"2-12:30", 217800000},
                 {"1w", 604800000},
                 {"100:00:00", 360000000}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        int64_t ms = -1;
        struct rt_error err = {0};
        if (!rt_parse_duration(cases[i].text, &ms, &err))
            fail_msg("%s", err.message);
        assert_true(ms == cases[i].ms);
    }
    static const char *const bad[] = {"",       "s",    "-1s",     "1x",        "1h2",
                                      "1m1h",   "1h1h", "1:2:3:4", "1-",        "-1:00",
                                      "::",     "1:",   ":1",      "1e3s",      "99999999999d",
                                      "1.2.3s", "1 h",  "1S",      "5 minutes", NULL};
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        int64_t ms = -7;
        struct rt_error err = {0};
        if (rt_parse_duration(bad[i], &ms, &err))
            fail_msg("\"%s\" was read as %lld ms", bad[i] ? bad[i] : "NULL", (long long)ms);
        assert_int_equal(err.code, RT_E_USAGE);
        assert_true(err.hint[0] != '\0');
        assert_int_equal(ms, -7);
    }
}

static void sizes_come_in_many_spellings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {{"100", 100},           {"0", 0},     {"512MiB", 536870912}, {"2GiB", 2147483648},
                 {"1.5G", 1610612736},   {"1k", 1024}, {"1KB", 1000},         {"3Mi", 3145728},
                 {"10 GB", 10000000000}, {"5B", 5},    {"1T", 1099511627776}, {"0.5K", 512}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        int64_t bytes = -1;
        struct rt_error err = {0};
        if (!rt_parse_size(cases[i].text, &bytes, &err))
            fail_msg("%s", err.message);
        assert_true(bytes == cases[i].bytes);
    }
    static const char *const bad[] = {
        "", "G", "-1", "1X", "1GiBs", "1e3", "8E", "9999999999999999999999", "1 2", "big", NULL};
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        int64_t bytes = -7;
        struct rt_error err = {0};
        if (rt_parse_size(bad[i], &bytes, &err))
            fail_msg("\"%s\" was read as %lld bytes", bad[i] ? bad[i] : "NULL", (long long)bytes);
    }
}

/* ---- lists and words ---- */

static void lists_own_their_strings(void **state) {
    (void)state;
    struct rt_strs l = {0}, copy = {0};
    char text[] = "b";
    rt_strs_add(&l, "a");
    rt_strs_add(&l, text);
    text[0] = 'x';
    rt_strs_take(&l, rt_strdup("c"));
    rt_strs_addf(&l, "%d", 4);
    rt_strs_add(&l, NULL);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.v[1], "b");
    assert_string_equal(l.v[3], "4");
    assert_null(l.v[4]);
    assert_true(rt_strs_has(&l, "c"));
    assert_false(rt_strs_has(&l, "x"));
    for (int i = 0; i < 5; i++)
        rt_strs_copy(&copy, &l);
    assert_int_equal(copy.n, 20);
    assert_null(copy.v[20]);
    rt_strs_deinit(&l);
    rt_strs_deinit(&l);
    rt_strs_deinit(&copy);
}

static void check_words(const char *line, const char *const *want) {
    struct rt_strs words = {0};
    struct rt_error err = {0};
    if (!rt_split_words(line, &words, &err))
        fail_msg("%s: %s", line, err.message);
    for (size_t i = 0; want[i]; i++) {
        assert_true(i < words.n);
        assert_string_equal(words.v[i], want[i]);
        if (!want[i + 1])
            assert_int_equal(words.n, i + 1);
    }
    rt_strs_deinit(&words);
}

static void command_lines_are_split_as_a_shell_does(void **state) {
    (void)state;
    check_words("a b\tc\n", (const char *const[]){"a", "b", "c", NULL});
    check_words("  'a b'\"c\"d  ''", (const char *const[]){"a bcd", "", NULL});
    check_words("\"a\\\"b\\$c\\d\" \\  \\'", (const char *const[]){"a\"b$c\\d", " ", "'", NULL});
    check_words("a\\\nb \\\n c", (const char *const[]){"ab", "c", NULL});
    check_words("$HOME *.py ~ #x", (const char *const[]){"$HOME", "*.py", "~", "#x", NULL});
    struct rt_strs words = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words("", &words, &err));
    assert_int_equal(words.n, 0);
    assert_false(rt_split_words("a 'b", &words, &err));
    assert_string_equal(err.message, "a quote (') is not closed");
    assert_false(rt_split_words("a \"b", &words, &err));
    assert_false(rt_split_words("a \\", &words, &err));
    assert_int_equal(words.n, 0);
    assert_int_equal(err.code, RT_E_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_takes_null),
        cmocka_unit_test(starts_and_ends_look_at_whole_affixes),
        cmocka_unit_test(natural_order_is_a_total_order),
        cmocka_unit_test(searching_ignores_ascii_case),
        cmocka_unit_test(the_nearest_word_is_found_when_it_is_near),
        cmocka_unit_test(every_code_point_goes_there_and_back),
        cmocka_unit_test(bad_utf8_is_found_byte_by_byte),
        cmocka_unit_test(widths_do_not_need_a_locale),
        cmocka_unit_test(foreign_text_is_made_harmless),
        cmocka_unit_test(no_pair_of_bytes_gets_through),
        cmocka_unit_test(cleaning_twice_changes_nothing),
        cmocka_unit_test(cleaning_into_memory_cuts_on_a_border),
        cmocka_unit_test(text_is_cut_by_columns),
        cmocka_unit_test(no_cut_is_wider_than_asked),
        cmocka_unit_test(ages_have_two_units),
        cmocka_unit_test(sizes_have_three_digits),
        cmocka_unit_test(counts_are_grouped_and_amounts_are_short),
        cmocka_unit_test(times_depend_on_how_far_they_are),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(reals_are_read_with_a_point),
        cmocka_unit_test(durations_come_in_many_spellings),
        cmocka_unit_test(sizes_come_in_many_spellings),
        cmocka_unit_test(lists_own_their_strings),
        cmocka_unit_test(command_lines_are_split_as_a_shell_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
