/* The terminal, taken and given back. Terminfo says how it moves and colours; cells, keys and what modern
 * terminals understand beyond terminfo (mouse, paste, titles, synchronized output) are ours. */
#include "ui/term.h"

#include "base/mem.h"
#include "base/str.h"
#include "ui/term_out.h"
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* term.h's macros claim short names; none of them is used below. */
#undef lines
#undef columns

#define ESC_DELAY_MS 25
#define DOUBLE_CLICK_MS 350
#define COPY_MAX (64 * 1024)
#define BACKLOG_MAX (4 * RT_MIB)

struct rt_term {
    struct rt_loop *loop;
    struct rt_term_events ev;
    struct rt_caps caps;
    struct rt_surface shown;
    struct rt_buf out;        /* what the terminal has not taken yet */
    size_t out_at;
    struct rt_keys keys;
    struct rt_fd *in_watch, *out_watch;
    struct rt_timer *esc;
    struct rt_signal *signals[5];
    int out_fd;               /* of its own where it can be: its flags are not shared with the shell */
    int rows, cols;
    bool all, taken, sync, asked_sync, mouse, cursor, waiting;
    int ended_by; /* signal */
    int64_t click_ms;
    int click_row, click_col;
    char *title;
};

/* What a crash handler may touch: prepared beforehand. */
static struct termios saved_modes;
static char restore_bytes[256];
static size_t restore_len;
static volatile sig_atomic_t must_restore;
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

/* ---- terminfo ---- */

static struct rt_buf *put_target;

static int put_char(int c) {
    rt_buf_addc(put_target, (char)c);
    return c;
}

void rt_caps_add(struct rt_buf *out, const char *cap, long a, long b) {
    if (!cap)
        return;
    put_target = out;
    tputs(tiparm(cap, (int)a, (int)b), 1, put_char);
}

static const char *cap_text(const char *name) {
    char *s = tigetstr(name);
    return s == (char *)-1 || !s || !*s ? NULL : s;
}

static bool load_caps(struct rt_caps *c, struct rt_error *err) {
    int status = 0;
    const char *name = getenv("TERM");
    const bool useless = !name || !*name || rt_streq(name, "dumb");
    if (useless || (!cur_term && setupterm(NULL, STDOUT_FILENO, &status) != OK))
        return rt_error_set(err, RT_E_UNSUPPORTED, "the terminal %s cannot show a screen", name && *name ? name : "(TERM is not set)");
    *c = (struct rt_caps){
        .move = cap_text("cup"), .clear = cap_text("clear"), .plain = cap_text("sgr0"), .bold = cap_text("bold"),
        .dim = cap_text("dim"), .underline = cap_text("smul"), .reverse = cap_text("rev"), .italic = cap_text("sitm"),
        .fg = cap_text("setaf"), .bg = cap_text("setab"), .colors = tigetnum("colors")};
    return (c->move && c->clear) || rt_error_set(err, RT_E_UNSUPPORTED, "the terminal %s cannot place its cursor", name);
}

static bool hint_without_screen(struct rt_error *err) {
    return rt_error_hint(err, "without a screen: raytui ls, raytui jobs, raytui nodes, raytui logs -f JOB; raytui --help");
}

bool rt_term_usable(struct rt_error *err) {
    struct rt_caps caps;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        rt_error_set(err, RT_E_UNSUPPORTED, "the screen needs a terminal");
        return hint_without_screen(err);
    }
    return load_caps(&caps, err) || hint_without_screen(err);
}

bool rt_term_utf8(void) {
    return rt_streq(nl_langinfo(CODESET), "UTF-8");
}

static enum rt_depth depth_of(const char *color, int colors) {
    const char *no = getenv("NO_COLOR"), *more = getenv("COLORTERM");
    const bool forced = color && rt_streq(color, "always");
    if ((no && *no) || (color && rt_streq(color, "never")))
        return RT_DEPTH_MONO;
    if (more && (rt_streq(more, "truecolor") || rt_streq(more, "24bit")))
        return RT_DEPTH_RGB;
    if (colors >= 256)
        return RT_DEPTH_256;
    return colors >= 8 || forced ? RT_DEPTH_16 : RT_DEPTH_MONO;
}

/* ---- output ---- */

static void wait_for_room(struct rt_term *t) {
    rt_fd_events(t->out_watch, t->out.len > t->out_at ? RT_WRITE : 0);
}

static void drain(struct rt_term *t) {
    while (t->out_at < t->out.len) {
        const ssize_t n = write(t->out_fd, t->out.data + t->out_at, t->out.len - t->out_at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) /* gone: the input side tells */
            t->out_at = t->out.len;
        if (n <= 0)
            break;
        t->out_at += (size_t)n;
    }
    if (t->out_at == t->out.len) {
        rt_buf_clear(&t->out);
        t->out_at = 0;
    }
    wait_for_room(t);
}

static void on_writable(void *ctx, int events) {
    struct rt_term *t = ctx;
    (void)events;
    drain(t);
    if (t->out.len == 0 && t->waiting) {
        t->waiting = false;
        t->ev.resumed(t->ev.ctx);
    }
}

/* ---- taking and giving back ---- */

static void build_restore(const struct rt_caps *caps) {
    struct rt_buf b;
    rt_buf_init(&b, sizeof restore_bytes);
    rt_buf_adds(&b, "\x1b[?1002l\x1b[?1006l\x1b[?2004l");
    rt_caps_add(&b, caps->plain, 0, 0);
    rt_caps_add(&b, cap_text("rmkx"), 0, 0);
    rt_caps_add(&b, cap_text("cnorm"), 0, 0);
    rt_caps_add(&b, cap_text("rmcup"), 0, 0);
    if (!cap_text("rmcup"))
        rt_caps_add(&b, caps->clear, 0, 0);
    restore_len = b.len;
    memcpy(restore_bytes, rt_buf_str(&b), b.len);
    rt_buf_deinit(&b);
}

/* Only calls that a signal handler may make. */
static void restore_now(void) {
    if (!must_restore)
        return;
    must_restore = 0;
    const int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags >= 0)
        (void)fcntl(STDOUT_FILENO, F_SETFL, flags & ~O_NONBLOCK);
    for (size_t at = 0; at < restore_len;) {
        const ssize_t n = write(STDOUT_FILENO, restore_bytes + at, restore_len - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_modes);
}

static void on_crash(int signum) {
    static const char text[] = "raytui: crashed. The log says more: see `raytui doctor`.\n";
    const bool ours = must_restore;
    restore_now();
    if (ours && signum != SIGQUIT) /* that is asked for */
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)signal(signum, SIG_DFL);
    (void)raise(signum);
}

static void set_modes(void) {
    struct termios m = saved_modes;
    m.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON | PARMRK);
    m.c_oflag &= ~(tcflag_t)OPOST;
    m.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    m.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    m.c_cflag |= CS8;
    m.c_cc[VMIN] = 1;
    m.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &m);
}

/* Terminals of xterm's family answer; others may print the question. */
static bool answers_questions(void) {
    static const char *const families[] = {"xterm", "tmux",  "screen", "foot", "alacritty", "kitty",
                                           "wezterm", "ghostty", "rxvt-unicode", "st", "contour", "vte"};
    const char *name = getenv("TERM");
    for (size_t i = 0; i < RT_COUNT(families); i++)
        if (rt_starts(name, families[i]))
            return true;
    return false;
}

static void mouse_mode(struct rt_term *t) {
    rt_buf_adds(&t->out, t->mouse ? "\x1b[?1002h\x1b[?1006h" : "\x1b[?1002l\x1b[?1006l");
}

static void read_size(struct rt_term *t) {
    struct winsize w = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || !w.ws_row || !w.ws_col) {
        w.ws_row = 24;
        w.ws_col = 80;
    }
    t->rows = RT_MIN((int)w.ws_row, 500);
    t->cols = RT_MIN((int)w.ws_col, 1000);
}

/* A description of our own makes non-blocking ours alone; else a shell in the background would inherit it. */
static void open_output(struct rt_term *t) {
    const char *path = ttyname(STDOUT_FILENO);
    t->out_fd = path ? open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    if (t->out_fd < 0)
        t->out_fd = STDOUT_FILENO;
    t->out_watch = rt_fd_watch(t->loop, t->out_fd, 0, on_writable, t);
}

static void take(struct rt_term *t) {
    must_restore = 1;
    t->taken = t->all = true;
    t->cursor = false;
    set_modes();
    rt_caps_add(&t->out, cap_text("smcup"), 0, 0);
    rt_caps_add(&t->out, cap_text("smkx"), 0, 0);
    rt_caps_add(&t->out, cap_text("civis"), 0, 0);
    rt_buf_adds(&t->out, "\x1b[?2004h");
    mouse_mode(t);
    if (!t->asked_sync && answers_questions())
        rt_buf_adds(&t->out, "\x1b[?2026$p");
    t->asked_sync = true;
    read_size(t);
}

/* What is still to be written goes out, unless the terminal is gone or stopped: it must not hold us. */
static void finish_output(struct rt_term *t) {
    const struct timespec nap = {0, 1000000};
    for (int i = 0; i < 200 && t->out_at < t->out.len; i++) {
        drain(t);
        if (t->out_at < t->out.len)
            (void)nanosleep(&nap, NULL);
    }
    rt_buf_clear(&t->out);
    t->out_at = 0;
}

static void give_back(struct rt_term *t) {
    if (!t->taken)
        return;
    t->taken = false;
    finish_output(t);
    if (t->title)
        (void)!write(STDOUT_FILENO, "\x1b[23;0t", 7);
    (void)tcflush(STDIN_FILENO, TCIFLUSH);
    restore_now();
}

/* ---- input ---- */

static void on_report(struct rt_term *t, const struct rt_event *ev) {
    /* "?2026;1$y" or 2: it knows synchronized output. */
    if (ev->len >= 8 && strncmp(ev->text, "?2026;", 6) == 0)
        t->sync = ev->text[6] == '1' || ev->text[6] == '2';
}

static void on_event(void *ctx, const struct rt_event *ev) {
    struct rt_term *t = ctx;
    struct rt_event copy = *ev;
    if (ev->type == RT_EV_REPORT) {
        on_report(t, ev);
        return;
    }
    if (ev->type == RT_EV_MOUSE && ev->mouse == RT_MOUSE_PRESS) {
        const int64_t now = rt_mono_ms();
        copy.double_click = ev->row == t->click_row && ev->col == t->click_col && now - t->click_ms < DOUBLE_CLICK_MS;
        t->click_ms = copy.double_click ? 0 : now;
        t->click_row = ev->row;
        t->click_col = ev->col;
    }
    t->ev.event(t->ev.ctx, &copy);
}

static void on_esc(void *ctx) {
    struct rt_term *t = ctx;
    rt_keys_flush(&t->keys, on_event, t);
}

static void on_input(void *ctx, int events) {
    struct rt_term *t = ctx;
    char data[4096];
    const ssize_t n = read(STDIN_FILENO, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && !(events & RT_HANGUP))
        return;
    if (n <= 0) {
        rt_fd_events(t->in_watch, 0);
        t->ev.gone(t->ev.ctx);
        return;
    }
    rt_keys_feed(&t->keys, data, (size_t)n, on_event, t);
    if (rt_keys_waiting(&t->keys))
        rt_timer_again(t->esc, ESC_DELAY_MS, 0);
}

static void on_signal(void *ctx, int signum) {
    struct rt_term *t = ctx;
    switch (signum) {
    case SIGWINCH:
        read_size(t);
        t->ev.resized(t->ev.ctx);
        break;
    case SIGTSTP:
        rt_term_suspend(t);
        break;
    default:
        t->ended_by = signum;
        t->ev.gone(t->ev.ctx);
        break;
    }
}

static void watch_signals(struct rt_term *t) {
    static const int wanted[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP};
    for (size_t i = 0; i < RT_COUNT(wanted); i++)
        t->signals[i] = rt_signal_watch(t->loop, wanted[i], on_signal, t);
    for (size_t i = 0; i < RT_COUNT(crash_signals); i++) {
        struct sigaction sa = {0};
        sa.sa_handler = on_crash;
        sa.sa_flags = (int)SA_RESETHAND;
        (void)sigaction(crash_signals[i], &sa, NULL);
    }
    (void)signal(SIGTTOU, SIG_IGN);
    rt_on_out_of_memory(restore_now);
    (void)atexit(restore_now);
}

struct rt_term *rt_term_open(struct rt_loop *l, const char *color, const struct rt_term_events *ev, struct rt_error *err) {
    struct rt_caps caps;
    if (!load_caps(&caps, err) || tcgetattr(STDIN_FILENO, &saved_modes) != 0) {
        if (!err->code)
            rt_error_set(err, RT_E_IO, "the terminal: %s", strerror(errno));
        return NULL;
    }
    struct rt_term *t = RT_NEW(struct rt_term);
    t->loop = l;
    t->ev = *ev;
    t->caps = caps;
    t->caps.depth = depth_of(color, caps.colors);
    t->caps.only_ascii = !rt_term_utf8();
    rt_surface_init(&t->shown);
    rt_buf_init(&t->out, BACKLOG_MAX);
    rt_keys_init(&t->keys);
    build_restore(&t->caps);
    open_output(t);
    take(t);
    t->in_watch = rt_fd_watch(l, STDIN_FILENO, RT_READ, on_input, t);
    t->esc = rt_timer_start(l, ESC_DELAY_MS, 0, on_esc, t);
    watch_signals(t);
    return t;
}

void rt_term_close(struct rt_term *t) {
    if (!t)
        return;
    give_back(t);
    for (size_t i = 0; i < RT_COUNT(t->signals); i++)
        rt_signal_unwatch(t->signals[i]);
    rt_fd_unwatch(t->in_watch);
    rt_fd_unwatch(t->out_watch);
    if (t->out_fd != STDOUT_FILENO)
        close(t->out_fd);
    rt_timer_stop(t->esc);
    rt_keys_deinit(&t->keys);
    rt_surface_deinit(&t->shown);
    rt_buf_deinit(&t->out);
    free(t->title);
    free(t);
    del_curterm(cur_term);
}

/* ---- what the screen uses ---- */

void rt_term_size(const struct rt_term *t, int *rows, int *cols) {
    *rows = t->rows;
    *cols = t->cols;
}

enum rt_depth rt_term_depth(const struct rt_term *t) {
    return t->caps.depth;
}

static void show_cursor(struct rt_term *t, const struct rt_surface *s) {
    if (s->cursor_shown != t->cursor)
        rt_caps_add(&t->out, cap_text(s->cursor_shown ? "cnorm" : "civis"), 0, 0);
    t->cursor = s->cursor_shown;
}

bool rt_term_show(struct rt_term *t, const struct rt_surface *s) {
    if (!t->taken)
        return true;
    if (t->out.len) {
        t->waiting = true;
        return false;
    }
    const bool moved = s->cursor_row != t->shown.cursor_row || s->cursor_col != t->shown.cursor_col;
    if (t->sync)
        rt_buf_adds(&t->out, "\x1b[?2026h");
    const size_t start = t->out.len;
    rt_term_diff(&t->caps, &t->shown, s, t->all, &t->out);
    const bool changed = t->out.len > start;
    if (changed || moved || s->cursor_shown != t->cursor) {
        show_cursor(t, s);
        rt_caps_add(&t->out, t->caps.move, s->cursor_row, s->cursor_col);
        if (t->sync)
            rt_buf_adds(&t->out, "\x1b[?2026l");
    } else {
        rt_buf_clear(&t->out);
    }
    t->shown.cursor_row = s->cursor_row;
    t->shown.cursor_col = s->cursor_col;
    t->all = false;
    drain(t);
    return true;
}

void rt_term_redraw(struct rt_term *t) {
    t->all = true;
}

void rt_term_title(struct rt_term *t, const char *text) {
    if (!answers_questions() || (t->title && rt_streq(t->title, text)) || !t->taken)
        return;
    /* The old title goes onto the terminal's stack, once. */
    rt_buf_addf(&t->out, "%s\x1b]2;", t->title ? "" : "\x1b[22;0t");
    for (const char *p = text; *p; p++)
        rt_buf_addc(&t->out, t->caps.only_ascii && (unsigned char)*p >= 0x80 ? '?' : *p);
    rt_buf_addc(&t->out, '\a');
    free(t->title);
    t->title = rt_strdup(text);
    drain(t);
}

/* VTE, foot and rxvt know OSC 777; the others OSC 9. */
static bool speaks_777(void) {
    const char *name = getenv("TERM");
    return getenv("VTE_VERSION") || (name && (strncmp(name, "foot", 4) == 0 || strncmp(name, "rxvt", 4) == 0));
}

void rt_term_notify(struct rt_term *t, const char *text, bool rings, bool desktop) {
    if (!t->taken)
        return;
    if (desktop && answers_questions()) {
        const char *name = getenv("TERM");
        const bool tmux = getenv("TMUX") && name && (strncmp(name, "tmux", 4) == 0 || strncmp(name, "screen", 6) == 0);
        rt_buf_adds(&t->out, tmux ? "\x1bPtmux;\x1b\x1b]" : "\x1b]");
        rt_buf_adds(&t->out, speaks_777() ? "777;notify;raytui;" : "9;");
        for (const char *p = text; *p; p++)
            rt_buf_addc(&t->out, *p == ';' || (t->caps.only_ascii && (unsigned char)*p >= 0x80) ? ',' : *p);
        rt_buf_adds(&t->out, tmux ? "\a\x1b\\" : "\a");
    }
    if (rings)
        rt_buf_addc(&t->out, '\a');
    drain(t);
}

void rt_term_mouse(struct rt_term *t, bool on) {
    if (t->mouse == on)
        return;
    t->mouse = on;
    mouse_mode(t);
    drain(t);
}

static void base64(struct rt_buf *out, const unsigned char *s, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const unsigned v = (unsigned)s[i] << 16 | (i + 1 < n ? (unsigned)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
        const char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                              i + 2 < n ? digits[v & 63] : '='};
        rt_buf_add(out, four, 4);
    }
}

bool rt_term_copy(struct rt_term *t, const char *text, size_t n, struct rt_error *err) {
    if (n > COPY_MAX) {
        rt_error_set(err, RT_E_LIMIT, "%zu bytes are too many for the clipboard (64 KiB)", n);
        return rt_error_hint(err, "^S saves to a file");
    }
    rt_buf_adds(&t->out, "\x1b]52;c;");
    base64(&t->out, (const unsigned char *)text, n);
    rt_buf_adds(&t->out, "\a");
    drain(t);
    return true;
}

/* ---- other programs in front ---- */

static void come_back(struct rt_term *t) {
    take(t);
    rt_fd_events(t->in_watch, RT_READ);
    drain(t);
    t->ev.resumed(t->ev.ctx);
}

void rt_term_suspend(struct rt_term *t) {
    struct sigaction old, normal = {0};
    if (!t->taken)
        return;
    give_back(t);
    normal.sa_handler = SIG_DFL;
    (void)sigaction(SIGTSTP, &normal, &old);
    (void)kill(0, SIGTSTP); /* the whole job, as the terminal driver does */
    (void)sigaction(SIGTSTP, &old, NULL);
    come_back(t);
}

static int wait_child(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int rt_term_run(struct rt_term *t, char *const argv[], struct rt_error *err) {
    give_back(t);
    struct sigaction ignore = {0}, old_int, old_quit;
    ignore.sa_handler = SIG_IGN;
    (void)sigaction(SIGINT, &ignore, &old_int);
    (void)sigaction(SIGQUIT, &ignore, &old_quit);
    const pid_t pid = fork();
    if (pid == 0) {
        static const int normal[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGPIPE, SIGTERM, SIGHUP, SIGWINCH};
        sigset_t none;
        sigemptyset(&none);
        for (size_t i = 0; i < RT_COUNT(normal); i++)
            (void)signal(normal[i], SIG_DFL);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(argv[0], argv);
        _exit(127);
    }
    const int status = pid < 0 ? -1 : wait_child(pid);
    (void)sigaction(SIGINT, &old_int, NULL);
    (void)sigaction(SIGQUIT, &old_quit, NULL);
    come_back(t);
    if (pid < 0)
        rt_error_set(err, RT_E_IO, "%s: %s", argv[0], strerror(errno));
    else if (status == 127)
        rt_error_set(err, RT_E_NOT_FOUND, "%s could not be started", argv[0]);
    return pid < 0 || status == 127 ? -1 : status;
}

int rt_term_ended_by(const struct rt_term *t) {
    return t->ended_by;
}
