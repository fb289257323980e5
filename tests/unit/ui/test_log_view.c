#include "fakeshell.h"

#include "ui/log_view.h"
#include "ui/views.h"

enum { ROWS = 10, COLS = 60 };

static struct log_view *log_of(struct rt_ui *ui) {
    return (struct log_view *)front(ui);
}

static bool all_known(struct rt_ui *ui) {
    bool exact = false;
    rt_logbuf_visible(log_of(ui)->buf, &exact);
    return exact;
}

static bool nothing_runs(struct rt_ui *ui) {
    const struct log_view *lv = log_of(ui);
    return !lv->search && !lv->count && !lv->seek && !lv->saving;
}

static void write_log(struct rt_ui *ui, const char *text, size_t n) {
    struct rt_error err = {0};
    char *path = rt_strf("%s/test.log", ui->dir);
    assert_true(rt_file_append(path, text, n, false, &err));
    free(path);
}

static void open_log(struct rt_ui *ui, const char *text, size_t n) {
    struct rt_error err = {0};
    write_log(ui, text, n);
    char *path = rt_strf("%s/test.log", ui->dir);
    const struct rt_log_target t = {.what = RT_LOG_FILE, .id = path};
    opened(ui, rt_view_log(ui, &t, &err));
    free(path);
    until(ui, all_known);
    free(drawn(ui, front(ui), ROWS, COLS));
}

/* "line 0" to "line n-1"; every tenth is an error. */
static void open_lines(struct rt_ui *ui, int n) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < n; i++)
        rt_buf_addf(&b, "%sline %d\n", i % 10 == 7 ? "ERROR " : "", i);
    open_log(ui, rt_buf_str(&b), b.len);
    rt_buf_deinit(&b);
}

static void run(struct rt_ui *ui, const char *line) {
    assert_int_equal(command(front(ui), line), RT_TAKEN_YES);
    until(ui, nothing_runs);
}

static void assert_title(struct rt_ui *ui, const char *text) {
    struct rt_buf l, r;
    rt_buf_init(&l, 0);
    rt_buf_init(&r, 0);
    front(ui)->ops->title(front(ui), &l, &r);
    if (!strstr(rt_buf_str(&l), text) && !strstr(rt_buf_str(&r), text))
        fail_msg("\"%s\" is not in the title: %s / %s", text, rt_buf_str(&l), rt_buf_str(&r));
    rt_buf_deinit(&l);
    rt_buf_deinit(&r);
}

static void assert_top(struct rt_ui *ui, const char *first) {
    char *screen = drawn(ui, front(ui), ROWS, COLS);
    screen[strcspn(screen, "\n")] = '\0';
    const char *text = screen + 1; /* behind the gutter */
    assert_string_equal(text, first);
    free(screen);
}

/* ---- following and moving ---- */

static void the_end_is_shown_first(void **state) {
    open_lines(*state, 100);
    assert_shows(*state, front(*state), ROWS, COLS, "line 99");
    assert_top(*state, "line 90");
}

static bool sees_new(struct rt_ui *ui) {
    return shows(ui, front(ui), ROWS, COLS, "brand new");
}

static void new_lines_are_followed(void **state) {
    open_lines(*state, 100);
    write_log(*state, "brand new\n", 10);
    until(*state, sees_new);
    assert_top(*state, "line 91");
}

static bool knows_new(struct rt_ui *ui) {
    return rt_logbuf_lines(log_of(ui)->buf, NULL) == 101;
}

static void a_move_up_pauses_and_new_lines_do_not_move_the_screen(void **state) {
    open_lines(*state, 100);
    run(*state, "move -1");
    assert_top(*state, "line 89");
    assert_title(*state, "paused");
    write_log(*state, "brand new\n", 10);
    until(*state, knows_new);
    assert_top(*state, "line 89");
    run(*state, "move last");
    assert_shows(*state, front(*state), ROWS, COLS, "brand new");
}

static void the_top_is_the_top(void **state) {
    open_lines(*state, 100);
    run(*state, "move first");
    assert_top(*state, "line 0");
    run(*state, "move -page");
    assert_top(*state, "line 0");
    run(*state, "move +1");
    assert_top(*state, "line 1");
}

static void moving_ends_with_a_full_page(void **state) {
    open_lines(*state, 100);
    run(*state, "move first");
    run(*state, "move +100000");
    assert_top(*state, "line 90");
}

static void a_number_goes_to_the_line(void **state) {
    open_lines(*state, 100);
    run(*state, "51");
    assert_int_equal(log_of(*state)->at, 50);
    assert_shows(*state, front(*state), ROWS, COLS, ">line 50");
    run(*state, "1000000");
    assert_int_equal(log_of(*state)->at, 99);
}

static void a_time_goes_to_the_line(void **state) {
    static const char text[] = "2026-11-21 10:40:00,001 INFO a\n2026-11-21 10:42:30,000 INFO b\n2026-11-21 10:50:00,000 INFO c\n";
    open_log(*state, text, sizeof text - 1);
    run(*state, "10:42");
    assert_int_equal(log_of(*state)->at, 1);
    run(*state, "-9m");
    assert_int_equal(log_of(*state)->at, 1);
    assert_int_equal(command(front(*state), "10:99"), RT_TAKEN_NO);
}

/* ---- finding ---- */

static void search_finds_counts_and_wraps_with_a_notice(void **state) {
    open_lines(*state, 100);
    run(*state, "move first");
    run(*state, "search \"line 4[0-9]\"");
    assert_int_equal(log_of(*state)->at, 40);
    assert_title(*state, "1/10");
    for (int i = 0; i < 9; i++)
        run(*state, "search-next");
    assert_int_equal(log_of(*state)->at, 49);
    assert_title(*state, "10/10");
    run(*state, "search-next");
    assert_int_equal(log_of(*state)->at, 40);
    assert_true(said(*state, "from the top"));
    run(*state, "search-previous");
    assert_int_equal(log_of(*state)->at, 49);
}

static void keys_that_come_while_it_searches_are_not_lost(void **state) {
    open_lines(*state, 100);
    run(*state, "move first");
    run(*state, "search \"line 4[0-9]\"");
    for (int i = 0; i < 5; i++)
        assert_int_equal(command(front(*state), "search-next"), RT_TAKEN_YES);
    until(*state, nothing_runs);
    assert_int_equal(log_of(*state)->at, 45);
}

static void a_match_is_marked_on_the_screen(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 100);
    run(ui, "move first");
    run(ui, "search \"ine 3$\"");
    free(drawn(ui, front(ui), ROWS, COLS));
    const struct rt_look match = rt_theme_over(&ui->theme, RT_R_MATCH);
    assert_true(rt_surface_cell(&ui->s, 3, 2)->look.attr & match.attr);
    assert_false(rt_surface_cell(&ui->s, 3, 1)->look.attr & match.attr);
    assert_false(rt_surface_cell(&ui->s, 2, 2)->look.attr & match.attr);
}

static void a_bad_pattern_is_told_and_changes_nothing(void **state) {
    open_lines(*state, 20);
    run(*state, "search \"(\"");
    assert_true(said(*state, "error: "));
    run(*state, "keep \"[\"");
    assert_int_equal(rt_logbuf_filters(log_of(*state)->buf), 0);
}

static void what_is_not_there_is_told(void **state) {
    open_lines(*state, 20);
    run(*state, "search zebra");
    assert_true(said(*state, "not found: zebra"));
}

static void filters_stack_and_escape_takes_them_away(void **state) {
    open_lines(*state, 100);
    run(*state, "keep ERROR");
    run(*state, "drop \"line [0-4]\"");
    until(*state, all_known);
    assert_shows(*state, front(*state), ROWS, COLS, "ERROR line 57");
    assert_false(shows(*state, front(*state), ROWS, COLS, "line 47"));
    assert_title(*state, "6 of 100 lines");
    run(*state, "filters");
    assert_shows(*state, front(*state), ROWS, COLS, "line 99");
    run(*state, "filters");
    assert_true(front(*state)->ops->back(front(*state)));
    assert_int_equal(rt_logbuf_filters(log_of(*state)->buf), 0);
    assert_false(front(*state)->ops->back(front(*state)));
}

static void filters_leave_the_place_where_one_is(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 5000);
    run(ui, "3000");
    run(ui, "move 0");
    log_of(ui)->at_shown = false;
    log_of(ui)->top.line = 3003;
    run(ui, "keep ERROR");
    until(ui, all_known);
    assert_top(ui, "ERROR line 3007");
    assert_int_equal(front(ui)->ops->back(front(ui)), true);
    until(ui, all_known);
    assert_top(ui, "ERROR line 3007");
    run(ui, "drop ERROR");
    until(ui, all_known);
    assert_top(ui, "line 3008");
}

static void errors_are_walked_both_ways(void **state) {
    open_lines(*state, 100);
    run(*state, "move first");
    run(*state, "error");
    assert_int_equal(log_of(*state)->at, 7);
    run(*state, "error");
    assert_int_equal(log_of(*state)->at, 17);
    run(*state, "error -");
    assert_int_equal(log_of(*state)->at, 7);
    run(*state, "error -");
    assert_int_equal(log_of(*state)->at, 7);
    assert_true(said(*state, "no error before this"));
}

static void the_line_that_asks_searches_and_filters(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 100);
    run(ui, "move first");
    run(ui, "search");
    type(ui, "line 33");
    assert_shows(ui, front(ui), ROWS, COLS, "/line 33");
    keys(ui, "Enter");
    until(ui, nothing_runs);
    assert_int_equal(log_of(ui)->at, 33);
    run(ui, "keep");
    type(ui, "!line");
    keys(ui, "Enter");
    until(ui, all_known);
    assert_shows(ui, front(ui), ROWS, COLS, "no line passes the filters");
    run(ui, "search");
    keys(ui, "q Esc");
    assert_int_equal(log_of(ui)->asking, LOG_ASK_NOTHING);
}

/* ---- looks ---- */

static void long_lines_scroll_sideways_or_wrap(void **state) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < 30; i++)
        rt_buf_addf(&b, "%04d ", i);
    rt_buf_adds(&b, "end\n");
    open_log(*state, rt_buf_str(&b), b.len);
    rt_buf_deinit(&b);
    assert_shows(*state, front(*state), ROWS, COLS, "…");
    assert_false(shows(*state, front(*state), ROWS, COLS, "0029"));
    run(*state, "scroll +100");
    assert_shows(*state, front(*state), ROWS, COLS, "0029 end");
    run(*state, "scroll -1000");
    run(*state, "wrap");
    assert_shows(*state, front(*state), ROWS, COLS, " 0000");
    assert_shows(*state, front(*state), ROWS, COLS, "end");
}

static void wrapped_lines_are_walked_by_screen_lines(void **state) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < 59 * 12; i++)
        rt_buf_addc(&b, (char)('a' + i / 59));
    rt_buf_adds(&b, "\nlast\n");
    open_log(*state, rt_buf_str(&b), b.len);
    rt_buf_deinit(&b);
    run(*state, "wrap");
    char top[60];
    memset(top, 'd', 59);
    top[59] = '\0';
    assert_top(*state, top);
    run(*state, "move -1");
    memset(top, 'c', 59);
    assert_top(*state, top);
    run(*state, "move -100");
    memset(top, 'a', 59);
    assert_top(*state, top);
    run(*state, "move +100");
    memset(top, 'd', 59);
    assert_top(*state, top);
}

static void colours_of_the_log_are_kept(void **state) {
    struct rt_ui *ui = *state;
    static const char text[] = "\x1b[31mred\x1b[0m plain \x1b[1mbold\x1b[0m\n";
    open_log(ui, text, sizeof text - 1);
    free(drawn(ui, front(ui), ROWS, COLS));
    assert_int_equal(rt_surface_cell(&ui->s, 0, 1)->look.fg, 1);
    assert_int_equal(rt_surface_cell(&ui->s, 0, 5)->look.fg, rt_theme_look(&ui->theme, RT_R_TEXT).fg);
    assert_true(rt_surface_cell(&ui->s, 0, 11)->look.attr & RT_BOLD);
}

static void a_hostile_log_stays_inside_its_pane(void **state) {
    struct rt_ui *ui = *state;
    static const char text[] = "before\n"
                               "\x1b]52;c;aGVsbG8=\x07 \x1b]0;owned\x07 title\n"
                               "\x1b[2J\x1b[H\x1b[999;999Hmoved\n"
                               "\x9b\x31\x6d c1 \x00 nul \xff bad\n"
                               "日本語のログ 🚀 wide\n"
                               "\xe2\x80\xae" "rtl\n"
                               "  1%|   | 1/100\r 50%|== | 50/100\r100%|===| 100/100\n"
                               "after\n";
    open_log(ui, text, sizeof text - 1);
    char *screen = drawn(ui, front(ui), ROWS, COLS);
    for (const char *p = screen; *p; p++)
        assert_true((unsigned char)*p >= 0x20 || *p == '\n');
    assert_non_null(strstr(screen, "moved"));
    assert_non_null(strstr(screen, "日本語のログ 🚀 wide"));
    assert_non_null(strstr(screen, "100%|===| 100/100"));
    assert_null(strstr(screen, "50/100\n"));
    assert_null(strstr(screen, "\xe2\x80\xae"));
    assert_non_null(strstr(screen, "^[]52;c;")); /* seen for what it is */
    assert_null(strstr(screen, "owned"));
    free(screen);
}

static void a_wide_character_at_the_edge_is_not_halved(void **state) {
    struct rt_ui *ui = *state;
    static const char text[] = "日本語日本語日本語日本語日本語\n";
    open_log(ui, text, sizeof text - 1);
    for (int cols = 3; cols < 40; cols++)
        free(drawn(ui, front(ui), 4, cols)); /* drawn() counts the columns */
    run(ui, "scroll +3");
    for (int cols = 3; cols < 40; cols++)
        free(drawn(ui, front(ui), 4, cols));
}

static void line_numbers_and_times_stand_beside_the_text(void **state) {
    static const char text[] = "2026-11-21 10:40:00 a\nno time\n2026-11-21 10:41:30 b\n";
    open_log(*state, text, sizeof text - 1);
    run(*state, "numbers");
    assert_shows(*state, front(*state), ROWS, COLS, "2 no time");
    run(*state, "time-mode");
    assert_shows(*state, front(*state), ROWS, COLS, "10:41:30");
    run(*state, "time-mode");
    assert_shows(*state, front(*state), ROWS, COLS, "+1m30s");
}

static void every_size_can_be_drawn(void **state) {
    open_lines(*state, 30);
    for (int wrap = 0; wrap < 2; wrap++) {
        for (int rows = 1; rows < 12; rows++)
            for (int cols = 1; cols < 30; cols++)
                free(drawn(*state, front(*state), rows, cols));
        run(*state, "wrap");
    }
}

/* ---- out of it ---- */

static void selected_lines_are_copied_as_shown(void **state) {
    struct rt_ui *ui = *state;
    static const char text[] = "one\n\x1b[31mtwo\x1b[0m\nthree\nfour\n";
    open_log(ui, text, sizeof text - 1);
    run(ui, "2");
    run(ui, "select");
    run(ui, "move +1");
    run(ui, "copy");
    assert_string_equal(rt_buf_str(&ui->copied), "two\nthree");
    assert_true(said(ui, "2 lines"));
    assert_false(log_of(ui)->selecting);
}

static void marks_are_gone_through(void **state) {
    open_lines(*state, 100);
    run(*state, "11");
    run(*state, "mark");
    run(*state, "31");
    run(*state, "mark");
    run(*state, "move first");
    run(*state, "mark-next");
    assert_int_equal(log_of(*state)->at, 10);
    run(*state, "mark-next");
    assert_int_equal(log_of(*state)->at, 30);
    run(*state, "mark-next");
    assert_int_equal(log_of(*state)->at, 10);
    run(*state, "mark");
    assert_int_equal(log_of(*state)->marks.n, 1);
}

static void saving_writes_what_passes_the_filters(void **state) {
    struct rt_ui *ui = *state;
    struct rt_error err = {0};
    struct rt_buf got;
    open_lines(ui, 20);
    run(ui, "keep ERROR");
    until(ui, all_known);
    char *path = rt_strf("%s/out.log", ui->dir), *line = rt_strf("save %s", path);
    run(ui, line);
    rt_buf_init(&got, 0);
    assert_true(rt_file_read(path, 0, &got, &err));
    assert_string_equal(rt_buf_str(&got), "ERROR line 7\nERROR line 17\n");
    assert_true(said(ui, "2 lines in"));
    rt_buf_deinit(&got);
    free(line);
    free(path);
}

static void a_pipe_gives_the_lines_to_the_command_as_it_was_typed(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 20);
    run(ui, "pipe");
    type(ui, "grep 'a b' | wc -l");
    keys(ui, "Enter");
    until(ui, nothing_runs);
    assert_string_equal(ui->argv.v[0], "sh");
    assert_string_equal(ui->argv.v[4], "grep 'a b' | wc -l");
    assert_false(rt_file_exists(ui->argv.v[5]));
}

static void the_editor_opens_the_file_at_the_line(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 20);
    run(ui, "5");
    setenv("VISUAL", "vim -R", 1);
    run(ui, "edit");
    assert_int_equal(ui->argv.n, 4);
    assert_string_equal(ui->argv.v[1], "-R");
    assert_string_equal(ui->argv.v[2], "+5");
    assert_non_null(strstr(ui->argv.v[3], "test.log"));
}

static void clearing_the_screen_keeps_the_log(void **state) {
    open_lines(*state, 20);
    run(*state, "clear");
    assert_shows(*state, front(*state), ROWS, COLS, "cleared");
    write_log(*state, "brand new\n", 10);
    until(*state, sees_new);
    assert_false(shows(*state, front(*state), ROWS, COLS, "line 19"));
    run(*state, "move first");
    assert_top(*state, "line 0");
}

static void a_view_can_go_while_it_searches_and_saves(void **state) {
    struct rt_ui *ui = *state;
    open_lines(ui, 100000);
    assert_int_equal(command(front(ui), "search nothing-of-this"), RT_TAKEN_YES);
    assert_int_equal(command(front(ui), "error"), RT_TAKEN_YES);
    char *line = rt_strf("save %s/out.log", ui->dir);
    assert_int_equal(command(front(ui), line), RT_TAKEN_YES);
    free(line);
    destroy_view(front(ui));
    ui->popups.n = 0;
    rt_loop_turn(ui->app->loop, false);
}

static void a_file_that_is_not_there_is_told(void **state) {
    struct rt_error err = {0};
    const struct rt_log_target t = {.what = RT_LOG_FILE, .id = "/nowhere/at/all.log"};
    assert_null(rt_view_log(*state, &t, &err));
    assert_non_null(strstr(err.message, "/nowhere/at/all.log"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        shell_test(the_end_is_shown_first),
        shell_test(new_lines_are_followed),
        shell_test(a_move_up_pauses_and_new_lines_do_not_move_the_screen),
        shell_test(the_top_is_the_top),
        shell_test(moving_ends_with_a_full_page),
        shell_test(a_number_goes_to_the_line),
        shell_test(a_time_goes_to_the_line),
        shell_test(search_finds_counts_and_wraps_with_a_notice),
        shell_test(keys_that_come_while_it_searches_are_not_lost),
        shell_test(a_match_is_marked_on_the_screen),
        shell_test(a_bad_pattern_is_told_and_changes_nothing),
        shell_test(what_is_not_there_is_told),
        shell_test(filters_stack_and_escape_takes_them_away),
        shell_test(filters_leave_the_place_where_one_is),
        shell_test(errors_are_walked_both_ways),
        shell_test(the_line_that_asks_searches_and_filters),
        shell_test(long_lines_scroll_sideways_or_wrap),
        shell_test(wrapped_lines_are_walked_by_screen_lines),
        shell_test(colours_of_the_log_are_kept),
        shell_test(a_hostile_log_stays_inside_its_pane),
        shell_test(a_wide_character_at_the_edge_is_not_halved),
        shell_test(line_numbers_and_times_stand_beside_the_text),
        shell_test(every_size_can_be_drawn),
        shell_test(selected_lines_are_copied_as_shown),
        shell_test(marks_are_gone_through),
        shell_test(saving_writes_what_passes_the_filters),
        shell_test(a_pipe_gives_the_lines_to_the_command_as_it_was_typed),
        shell_test(the_editor_opens_the_file_at_the_line),
        shell_test(clearing_the_screen_keeps_the_log),
        shell_test(a_view_can_go_while_it_searches_and_saves),
        shell_test(a_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
