/* The pseudo terminal, and what stands on it. */
#include "pty.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_MS 250

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the small shell ---- */

static void exec_program(const char *const *argv, const char *const *env) {
    char *own[32] = {NULL};
    for (size_t i = 0; argv[i] && i + 1 < RT_COUNT(own); i++)
        own[i] = rt_strdup(argv[i]);
    for (; env && *env; env++)
        putenv(rt_strdup(*env));
    (void)setpgid(0, 0);
    (void)tcsetpgrp(STDIN_FILENO, getpid());
    (void)signal(SIGTTOU, SIG_DFL);
    execv(own[0], own);
    _exit(127);
}

static void report(int fd, char what, int value) {
    char line[64];
    const int n = snprintf(line, sizeof line, "%c %d\n", what, value);
    (void)!write(fd, line, (size_t)n);
}

/* Gives the terminal to the program, takes it back when the program stops or ends; says what happened. */
static void shell(int events, int orders, const char *const *argv, const char *const *env) {
    (void)signal(SIGTTOU, SIG_IGN);
    const pid_t pid = fork();
    if (pid == 0)
        exec_program(argv, env);
    (void)setpgid(pid, pid);
    (void)tcsetpgrp(STDIN_FILENO, pid);
    report(events, 'P', (int)pid);
    for (;;) {
        int status = 0;
        if (waitpid(pid, &status, WUNTRACED) < 0)
            _exit(1);
        (void)tcsetpgrp(STDIN_FILENO, getpgrp());
        if (!WIFSTOPPED(status)) {
            report(events, 'E', status);
            _exit(0);
        }
        char order;
        report(events, 'S', 0);
        if (read(orders, &order, 1) != 1)
            _exit(1);
        (void)tcsetpgrp(STDIN_FILENO, pid);
        (void)kill(-pid, SIGCONT);
    }
}

static void set_size(int fd, int rows, int cols) {
    const struct winsize w = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    (void)ioctl(fd, TIOCSWINSZ, &w);
}

static void start_screen(struct rt_pty *t) {
    t->vt = vterm_new(t->rows, t->cols);
    vterm_set_utf8(t->vt, 1);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

void rt_pty_start(struct rt_pty *t, int rows, int cols, const char *const *argv, const char *const *env) {
    int events[2], orders[2];
    *t = (struct rt_pty){.rows = rows, .cols = cols, .status = -1};
    rt_buf_init(&t->bytes, 0);
    start_screen(t);
    t->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(t->master >= 0 && grantpt(t->master) == 0 && unlockpt(t->master) == 0);
    t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
    assert_true(t->slave >= 0 && pipe(events) == 0 && pipe(orders) == 0);
    set_size(t->master, rows, cols);
    assert_int_equal(tcgetattr(t->slave, &t->before), 0);
    t->shell = fork();
    if (t->shell == 0) {
        (void)setsid();
        (void)ioctl(t->slave, TIOCSCTTY, 0);
        for (int fd = 0; fd < 3; fd++)
            (void)dup2(t->slave, fd);
        (void)close(t->master);
        (void)close(t->slave);
        (void)fcntl(events[1], F_SETFD, FD_CLOEXEC);
        (void)fcntl(orders[0], F_SETFD, FD_CLOEXEC);
        (void)close(events[0]);
        (void)close(orders[1]);
        shell(events[1], orders[0], argv, env);
    }
    (void)close(events[1]);
    (void)close(orders[0]);
    t->events = events[0];
    t->orders = orders[1];
}

/* ---- what comes ---- */

static void take_event(struct rt_pty *t) {
    char text[256];
    const ssize_t n = read(t->events, text, sizeof text - 1);
    if (n <= 0) {
        (void)close(t->events);
        t->events = -1;
        return;
    }
    text[n] = '\0';
    for (char *s = text; *s; s += strcspn(s, "\n") + 1) {
        const int value = atoi(s + 2);
        if (*s == 'P')
            t->program = (pid_t)value;
        else if (*s == 'S')
            t->stopped = true;
        else if (*s == 'E')
            t->status = value;
    }
}

static bool take_bytes(struct rt_pty *t) {
    char data[65536], answer[1024];
    const ssize_t n = read(t->master, data, sizeof data);
    if (n <= 0)
        return false;
    rt_buf_add(&t->bytes, data, (size_t)n);
    vterm_input_write(t->vt, data, (size_t)n);
    const size_t m = vterm_output_read(t->vt, answer, sizeof answer);
    if (m)
        (void)!write(t->master, answer, m);
    return true;
}

/* Waits at most `ms` for anything; true if bytes came. */
static bool take(struct rt_pty *t, int ms) {
    struct pollfd p[] = {{t->master, POLLIN, 0}, {t->events, POLLIN, 0}};
    if (poll(p, 2, ms) <= 0)
        return false;
    if (t->events >= 0 && p[1].revents)
        take_event(t);
    return (p[0].revents & POLLIN) && take_bytes(t);
}

void rt_pty_settle(struct rt_pty *t) {
    const int64_t end = now_ms() + 5000;
    while (now_ms() < end && take(t, SETTLE_MS)) {
    }
}

/* ---- typing ---- */

void rt_pty_send(struct rt_pty *t, const char *bytes, size_t n) {
    while (n) {
        const ssize_t m = write(t->master, bytes, n);
        if (m < 0 && errno == EINTR)
            continue;
        assert_true(m > 0);
        bytes += m;
        n -= (size_t)m;
    }
}

static void send_named(struct rt_pty *t, const char *name, size_t n) {
    static const struct {
        const char *name, *bytes;
    } keys[] = {{"Enter", "\r"},     {"Esc", "\x1b"},      {"Tab", "\t"},       {"S-Tab", "\x1b[Z"},   {"Space", " "},      {"Backspace", "\x7f"},
                {"Up", "\x1b[A"},    {"Down", "\x1b[B"},   {"Right", "\x1b[C"}, {"Left", "\x1b[D"},    {"Home", "\x1b[H"},  {"End", "\x1b[F"},
                {"PgUp", "\x1b[5~"}, {"PgDn", "\x1b[6~"},  {"Del", "\x1b[3~"},  {"F1", "\x1bOP"},      {"F2", "\x1bOQ"},    {"F3", "\x1bOR"},
                {"F4", "\x1bOS"},    {"F5", "\x1b[15~"}};
    if (n == 2 && name[0] == '^') {
        const char c = (char)(name[1] & 0x1f);
        rt_pty_send(t, &c, 1);
        return;
    }
    for (size_t i = 0; i < RT_COUNT(keys); i++)
        if (strlen(keys[i].name) == n && strncmp(keys[i].name, name, n) == 0) {
            rt_pty_send(t, keys[i].bytes, strlen(keys[i].bytes));
            if (keys[i].bytes[1] == '\0' && keys[i].bytes[0] == '\x1b')
                (void)take(t, 60); /* what follows at once would be Alt and a key */
            return;
        }
    fail_msg("no key <%.*s>", (int)n, name);
}

void rt_pty_type(struct rt_pty *t, const char *keys) {
    while (*keys) {
        const char *end = *keys == '<' && keys[1] != '<' ? strchr(keys, '>') : NULL;
        if (end) {
            send_named(t, keys + 1, (size_t)(end - keys - 1));
            keys = end + 1;
        } else {
            rt_pty_send(t, keys, 1);
            keys += keys[0] == '<' && keys[1] == '<' ? 2 : 1;
        }
    }
}

void rt_pty_resize(struct rt_pty *t, int rows, int cols) {
    t->rows = rows;
    t->cols = cols;
    vterm_set_size(t->vt, rows, cols);
    set_size(t->master, rows, cols);
}

/* ---- the screen as text ---- */

static const VTermScreenCell *cell_at(struct rt_pty *t, int row, int col, VTermScreenCell *cell) {
    const VTermPos at = {row, col};
    memset(cell, 0, sizeof *cell);
    (void)vterm_screen_get_cell(t->screen, at, cell);
    return cell;
}

static void add_cell(struct rt_buf *out, const VTermScreenCell *c) {
    if (c->chars[0] == UINT32_MAX)
        return;
    if (!c->chars[0])
        rt_buf_addc(out, ' ');
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && c->chars[i]; i++) {
        char bytes[4];
        rt_buf_add(out, bytes, rt_utf8_encode((int32_t)c->chars[i], bytes));
    }
}

static void whole_row(struct rt_pty *t, int row, struct rt_buf *out) {
    VTermScreenCell cell;
    const size_t from = out->len;
    for (int col = 0; col < t->cols; col++)
        add_cell(out, cell_at(t, row, col, &cell));
    char *at = t->hide && out->data ? strstr(out->data + from, t->hide) : NULL;
    if (at)
        memset(at, '#', strlen(t->hide));
}

void rt_pty_row(struct rt_pty *t, int row, struct rt_buf *out) {
    whole_row(t, row, out);
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

static void whole_screen(struct rt_pty *t, struct rt_buf *out) {
    for (int row = 0; row < t->rows; row++) {
        rt_pty_row(t, row, out);
        rt_buf_addc(out, '\n');
    }
}

bool rt_pty_shows(struct rt_pty *t, const char *text) {
    struct rt_buf all;
    rt_buf_init(&all, 0);
    whole_screen(t, &all);
    const bool shown = strstr(rt_buf_str(&all), text) != NULL;
    rt_buf_deinit(&all);
    return shown;
}

static void wait_text(struct rt_pty *t, const char *text, bool there, int ms) {
    const int64_t end = now_ms() + ms;
    while (rt_pty_shows(t, text) != there) {
        if (now_ms() > end || t->status != -1) {
            struct rt_buf all;
            rt_buf_init(&all, 0);
            whole_screen(t, &all);
            fail_msg("\"%s\" %s:\n%s", text, there ? "does not come" : "stays", rt_buf_str(&all));
        }
        (void)take(t, 50);
    }
}

void rt_pty_until(struct rt_pty *t, const char *text, int ms) {
    wait_text(t, text, true, ms);
}

void rt_pty_until_gone(struct rt_pty *t, const char *text, int ms) {
    wait_text(t, text, false, ms);
}

/* ---- ends ---- */

int rt_pty_wait(struct rt_pty *t, int ms) {
    const int64_t end = now_ms() + ms;
    while (t->status == -1 && now_ms() < end)
        (void)take(t, 20);
    if (t->status == -1)
        fail_msg("it does not end");
    while (take(t, 20)) {
    }
    return t->status;
}

void rt_pty_wait_stopped(struct rt_pty *t, int ms) {
    const int64_t end = now_ms() + ms;
    while (!t->stopped && now_ms() < end)
        (void)take(t, 20);
    if (!t->stopped)
        fail_msg("it does not stop");
}

void rt_pty_continue(struct rt_pty *t) {
    t->stopped = false;
    assert_int_equal(write(t->orders, "c", 1), 1);
}

void rt_pty_end(struct rt_pty *t) {
    if (t->status == -1 && t->program > 0)
        (void)kill(t->program, SIGKILL);
    (void)close(t->orders);
    if (t->master >= 0)
        (void)close(t->master);
    (void)close(t->slave);
    if (t->events >= 0)
        (void)close(t->events);
    (void)kill(t->shell, SIGKILL);
    (void)waitpid(t->shell, NULL, 0);
    vterm_free(t->vt);
    rt_buf_deinit(&t->bytes);
}

/* Was the last of a pair of switches the one that gives back? */
static void last_is(struct rt_pty *t, const char *on, const char *off) {
    const char *last_on = NULL, *last_off = NULL;
    for (const char *s = rt_buf_str(&t->bytes); (s = strstr(s, "\x1b[")); s += 2) {
        last_on = rt_starts(s, on) ? s : last_on;
        last_off = rt_starts(s, off) ? s : last_off;
    }
    if (last_on && (!last_off || last_off < last_on))
        fail_msg("%s is left on", on + 1);
}

void rt_pty_given_back(struct rt_pty *t) {
    struct termios now;
    assert_int_equal(tcgetattr(t->slave, &now), 0);
    assert_int_equal(now.c_iflag, t->before.c_iflag);
    assert_int_equal(now.c_oflag, t->before.c_oflag);
    assert_int_equal(now.c_lflag & ~(tcflag_t)PENDIN, t->before.c_lflag & ~(tcflag_t)PENDIN);
    assert_int_equal(now.c_cflag, t->before.c_cflag);
    last_is(t, "\x1b[?1049h", "\x1b[?1049l");
    last_is(t, "\x1b[?25l", "\x1b[?25h");
    last_is(t, "\x1b[?2004h", "\x1b[?2004l");
    last_is(t, "\x1b[?1002h", "\x1b[?1002l");
    last_is(t, "\x1b[?1006h", "\x1b[?1006l");
}

/* ---- goldens: the text, then a letter for the look of each cell, then what the letters mean ---- */

static void color_name(struct rt_buf *out, const char *what, VTermColor c, bool fg) {
    if (fg ? VTERM_COLOR_IS_DEFAULT_FG(&c) : VTERM_COLOR_IS_DEFAULT_BG(&c))
        return;
    if (VTERM_COLOR_IS_INDEXED(&c))
        rt_buf_addf(out, " %s=%d", what, c.indexed.idx);
    else
        rt_buf_addf(out, " %s=#%02x%02x%02x", what, c.rgb.red, c.rgb.green, c.rgb.blue);
}

static void look_name(struct rt_buf *out, const VTermScreenCell *c) {
    color_name(out, "fg", c->fg, true);
    color_name(out, "bg", c->bg, false);
    rt_buf_adds(out, c->attrs.bold ? " bold" : "");
    rt_buf_adds(out, c->attrs.underline ? " underline" : "");
    rt_buf_adds(out, c->attrs.reverse ? " reverse" : "");
    rt_buf_adds(out, c->attrs.italic ? " italic" : "");
}

static char letter_of(struct rt_strs *looks, const VTermScreenCell *c) {
    struct rt_buf name;
    size_t i = 0;
    rt_buf_init(&name, 0);
    look_name(&name, c);
    if (!name.len) {
        rt_buf_deinit(&name);
        return '.';
    }
    while (i < looks->n && !rt_streq(looks->v[i], rt_buf_str(&name)))
        i++;
    if (i == looks->n)
        rt_strs_add(looks, rt_buf_str(&name));
    rt_buf_deinit(&name);
    return (char)(i < 26 ? 'a' + (int)i : 'A' + (int)i - 26);
}

static void dump(struct rt_pty *t, struct rt_buf *out) {
    struct rt_strs looks = {0};
    VTermPos cursor;
    vterm_state_get_cursorpos(vterm_obtain_state(t->vt), &cursor);
    for (int row = 0; row < t->rows; row++) {
        rt_buf_addc(out, '|');
        whole_row(t, row, out);
        rt_buf_adds(out, "|\n");
    }
    rt_buf_addf(out, "cursor %d,%d\n", cursor.row, cursor.col);
    for (int row = 0; row < t->rows; row++) {
        VTermScreenCell cell;
        char letter = '.';
        rt_buf_addc(out, '|');
        for (int col = 0; col < t->cols; col++) {
            cell_at(t, row, col, &cell);
            if (cell.chars[0] != (uint32_t)-1) /* the second half of a wide character looks as the first */
                letter = letter_of(&looks, &cell);
            rt_buf_addc(out, letter);
        }
        rt_buf_adds(out, "|\n");
    }
    for (size_t i = 0; i < looks.n; i++)
        rt_buf_addf(out, "%c:%s\n", (char)(i < 26 ? 'a' + (int)i : 'A' + (int)i - 26), looks.v[i]);
    rt_strs_deinit(&looks);
}

static void first_difference(const char *want, const char *got, const char *name) {
    int line = 1;
    while (*want || *got) {
        const size_t a = strcspn(want, "\n"), b = strcspn(got, "\n");
        if (a != b || strncmp(want, got, a) != 0)
            fail_msg("%s:%d\nwant %.*s\ngot  %.*s\n(RT_UPDATE_GOLDENS=1 writes what is drawn now)", name, line, (int)a, want, (int)b, got);
        want += a + (want[a] == '\n');
        got += b + (got[b] == '\n');
        line++;
    }
}

void rt_pty_matches(struct rt_pty *t, const char *name) {
    struct rt_buf got, want;
    struct rt_error err = {0};
    char *path = rt_strf("%s/%s", RT_GOLDENS, name);
    const char *update = getenv("RT_UPDATE_GOLDENS");
    rt_pty_settle(t);
    rt_buf_init(&got, 0);
    rt_buf_init(&want, 0);
    dump(t, &got);
    if (update && *update) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(rt_buf_str(&got), f);
        assert_int_equal(fclose(f), 0);
    } else {
        if (!rt_file_read(path, 0, &want, &err))
            fail_msg("%s", err.message);
        first_difference(rt_buf_str(&want), rt_buf_str(&got), name);
    }
    rt_buf_deinit(&got);
    rt_buf_deinit(&want);
    free(path);
}
