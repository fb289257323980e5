/* A command on the far side: its stdin written and ended, both outputs read to the end, its exit
 * status. Output is handed over outside of the pump, so that whoever gets it may do anything. */
#include "net/ssh_chan.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 256 * 1024 }; /* output that waits for its reader */

enum exec_step { START, INPUT, OUTPUT, CLOSE, DONE };

struct exec {
    struct rt_chan chan;
    struct rt_loop *loop;
    enum exec_step step;
    char *line, *input;
    size_t input_len, input_off;
    struct rt_command cmd;
    struct rt_buf held[2]; /* stdout, stderr */
    struct rt_op *later;
    int status;
    bool ended;
    bool *gone; /* set when it is freed while its reader runs */
    struct rt_error error;
};

static void exec_free(struct exec *x) {
    rt_op_drop(&x->later);
    if (x->gone)
        *x->gone = true;
    rt_buf_deinit(&x->held[0]);
    rt_buf_deinit(&x->held[1]);
    if (x->input)
        memset(x->input, 0, x->input_len);
    free(x->input);
    free(x->line);
    free(x);
}

static void exec_cancel(struct rt_op *op) {
    struct exec *x = (struct exec *)op;
    if (x->chan.ssh)
        rt_chan_leave(&x->chan);
    exec_free(x);
}

/* False when x is gone. */
static bool hand_over(struct exec *x, int i) {
    bool gone = false;
    char *data;
    size_t n = x->held[i].len;
    if (n == 0)
        return true;
    data = rt_buf_take(&x->held[i]);
    x->gone = &gone;
    x->cmd.output(x->cmd.ctx, i == 0 ? RT_STDOUT : RT_STDERR, data, n);
    free(data);
    if (!gone)
        x->gone = NULL;
    return !gone;
}

static void on_later(void *ctx) {
    struct exec *x = ctx;
    x->later = NULL;
    if (!hand_over(x, 0) || !hand_over(x, 1))
        return;
    if (!x->ended) {
        if (x->chan.ssh)
            rt_ssh_pump_soon(x->chan.ssh); /* what was left in the channel */
        return;
    }
    struct rt_command cmd = x->cmd;
    struct rt_error err = x->error;
    int status = x->status;
    exec_free(x);
    cmd.end(cmd.ctx, status, err.code ? &err : NULL);
}

static void tell_later(struct exec *x) {
    if (!x->later)
        x->later = rt_loop_defer(x->loop, on_later, x);
}

static void finish(struct exec *x) {
    x->ended = true;
    if (x->chan.ssh)
        rt_chan_leave(&x->chan);
    tell_later(x);
}

static void exec_failed(struct rt_chan *c, const struct rt_error *err) {
    struct exec *x = (struct exec *)c;
    x->error = *err;
    finish(x);
}

static bool broken(struct exec *x, ssize_t rc) {
    struct rt_ssh *s = x->chan.ssh;
    if (rt_ssh_fatal(s, rc))
        return false; /* all are told by the end of the session */
    char *why = NULL, clean[200];
    libssh2_session_last_error(s->session, &why, NULL, 0);
    rt_error_set(&x->error, RT_E_REMOTE, "%s: the command was refused: %s", s->shown,
                 rt_clean_to(clean, sizeof clean, why ? why : ""));
    finish(x);
    return true;
}

static bool start(struct exec *x) {
    int rc = libssh2_channel_process_startup(x->chan.c, "exec", sizeof "exec" - 1, x->line,
                                             (unsigned int)strlen(x->line));
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (rc != 0)
        return broken(x, rc);
    x->step = INPUT;
    return true;
}

static bool write_input(struct exec *x) {
    struct rt_ssh *s = x->chan.ssh;
    bool moved = false;
    while (x->input_off < x->input_len && rt_ssh_io_queued(s->io) < RT_SSH_OUT_HIGH &&
           libssh2_channel_window_write(x->chan.c) > 0) {
        ssize_t n =
            libssh2_channel_write(x->chan.c, x->input + x->input_off, x->input_len - x->input_off);
        if (n <= 0 && rt_ssh_fatal(s, n))
            return false;
        if (n <= 0)
            x->input_off = x->input_len; /* it does not read: what it says and how it ends is still
                                            of interest */
        else
            x->input_off += (size_t)n;
        moved = true;
    }
    if (x->input_off < x->input_len)
        return moved;
    libssh2_channel_send_eof(x->chan.c);
    x->step = OUTPUT;
    return true;
}

static bool read_output(struct exec *x) {
    struct rt_ssh *s = x->chan.ssh;
    bool moved = false;
    for (int i = 0; i < 2; i++) {
        if (x->held[i].len >= HELD_MAX)
            continue;
        ssize_t n = libssh2_channel_read_ex(x->chan.c, i == 0 ? 0 : SSH_EXTENDED_DATA_STDERR,
                                            s->scratch, sizeof s->scratch);
        if (n > 0) {
            rt_buf_add(&x->held[i], s->scratch, (size_t)n);
            tell_later(x);
            moved = true;
        } else if (n < 0 && n != LIBSSH2_ERROR_EAGAIN && rt_ssh_fatal(s, n)) {
            return false;
        }
    }
    if (!moved && libssh2_channel_eof(x->chan.c) && x->held[0].len < HELD_MAX &&
        x->held[1].len < HELD_MAX) {
        x->step = CLOSE;
        return true;
    }
    return moved;
}

static bool close_it(struct exec *x) {
    char *signal_name = NULL;
    int rc = libssh2_channel_close(x->chan.c);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (rc != 0 && rt_ssh_fatal(x->chan.ssh, rc))
        return false;
    libssh2_channel_get_exit_signal(x->chan.c, &signal_name, NULL, NULL, NULL, NULL, NULL);
    x->status = signal_name ? -1 : libssh2_channel_get_exit_status(x->chan.c);
    if (signal_name)
        libssh2_free(x->chan.ssh->session, signal_name);
    x->step = DONE;
    finish(x);
    return true;
}

static bool exec_step(struct rt_chan *c) {
    struct exec *x = (struct exec *)c;
    bool moved = false;
    if (x->step == START && !start(x))
        return false;
    if (c->state == RT_CHAN_GONE)
        return true;
    if (x->step == INPUT)
        moved = write_input(x);
    if (x->step == OUTPUT || x->step == INPUT)
        moved |= !c->ssh->dead && read_output(x);
    if (x->step == CLOSE && !c->ssh->dead)
        moved |= close_it(x);
    return moved;
}

static const struct rt_chan_ops exec_ops = {
    .step = exec_step, .failed = exec_failed, .is_exec = true};

struct rt_op *rt_ssh_exec(struct rt_ssh *s, const struct rt_command *cmd) {
    struct exec *x = RT_NEW(struct exec);
    x->chan.op.cancel = exec_cancel;
    x->chan.ops = &exec_ops;
    snprintf(x->chan.host, sizeof x->chan.host, "%s", "a command");
    x->loop = s->loop;
    x->cmd = *cmd;
    x->line = rt_strdup(cmd->line);
    x->input = rt_strndup(cmd->input, cmd->input_len);
    x->input_len = cmd->input_len;
    rt_buf_init(&x->held[0], 2 * HELD_MAX);
    rt_buf_init(&x->held[1], 2 * HELD_MAX);
    rt_chan_add(s, &x->chan);
    return &x->chan.op;
}
