/* The two callbacks through which libssh2 reads and writes its socket. */
#include "net/ssh.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DIRECT_FROM = 8 * 1024, /* packets of this size are not worth being gathered */
    IN_SIZE = 64 * 1024
};

static ssize_t receive(struct rt_ssh_io *io, void *to, size_t n) {
    ssize_t got = recv(io->fd, to, n, 0);
    if (got > 0) {
        io->bytes_in += got;
        return got;
    }
    if (got == 0) {
        io->eof = true;
        return 0;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return -EAGAIN;
    io->eof = true;
    io->err_no = errno;
    return -errno;
}

/* libssh2 asks for 16 KiB at a time; the system is asked for more. */
static ssize_t fill(struct rt_ssh_io *io) {
    if (io->dry || io->budget == 0)
        return -EAGAIN;
    if (!io->in)
        io->in = rt_alloc(IN_SIZE);
    size_t want = RT_MIN((size_t)IN_SIZE, io->budget);
    ssize_t got = receive(io, io->in, want);
    /* A short read has emptied the socket: the next one would only say EAGAIN. */
    io->dry = got < (ssize_t)want;
    if (got <= 0)
        return got;
    io->budget -= (size_t)got;
    io->in_off = 0;
    io->in_len = (size_t)got;
    return got;
}

static ssize_t other_side(ssize_t rc) {
    return rc < 0 ? -errno : rc;
}

static LIBSSH2_RECV_FUNC(on_recv) {
    struct rt_ssh_io *io = *abstract;
    (void)flags;
    if (socket != io->fd) /* libssh2 speaks to the agent by the same functions */
        return other_side(recv(socket, buffer, length, 0));
    if (io->refuse)
        return -ECONNABORTED;
    if (io->direct)
        return receive(io, buffer, length);
    if (io->in_off == io->in_len) {
        ssize_t got = fill(io);
        if (got <= 0)
            return got;
    }
    size_t n = RT_MIN(length, io->in_len - io->in_off);
    memcpy(buffer, io->in + io->in_off, n);
    io->in_off += n;
    return (ssize_t)n;
}

static void keep(struct rt_ssh_io *io, const char *data, size_t n) {
    if (io->out_off > 0 && io->out_len + n > io->out_cap) {
        memmove(io->out, io->out + io->out_off, io->out_len - io->out_off);
        io->out_len -= io->out_off;
        io->out_off = 0;
    }
    if (io->out_len + n > io->out_cap) {
        io->out_cap = RT_MAX(io->out_cap * 2, io->out_len + n);
        io->out = rt_realloc(io->out, io->out_cap);
    }
    memcpy(io->out + io->out_len, data, n);
    io->out_len += n;
}

static ssize_t send_some(struct rt_ssh_io *io, const char *data, size_t n) {
    ssize_t done = rt_fd_send(io->fd, data, n);
    if (done >= 0)
        return done;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return -EAGAIN;
    io->eof = true;
    io->err_no = errno;
    return -errno;
}

static LIBSSH2_SEND_FUNC(on_send) {
    struct rt_ssh_io *io = *abstract;
    const char *data = buffer;
    size_t n = length, done = 0;
    (void)flags;
    if (socket != io->fd)
        return other_side(rt_fd_send(socket, buffer, length));
    if (io->refuse || (io->eof && !io->direct))
        return -ECONNABORTED;
    if (io->direct)
        return send_some(io, data, n);
    if (io->out_len == 0 && n >= DIRECT_FROM) {
        ssize_t sent = send_some(io, data, n);
        if (sent < 0 && sent != -EAGAIN)
            return sent;
        done = sent > 0 ? (size_t)sent : 0;
    }
    if (done < n)
        keep(io, data + done, n - done);
    return (ssize_t)n;
}

size_t rt_ssh_io_queued(const struct rt_ssh_io *io) {
    return io->out_len - io->out_off;
}

void rt_ssh_io_flush(struct rt_ssh_io *io) {
    while (io->out_off < io->out_len && !io->eof) {
        ssize_t n = send_some(io, io->out + io->out_off, io->out_len - io->out_off);
        if (n < 0)
            return;
        io->out_off += (size_t)n;
    }
    io->out_len = io->out_off = 0;
}

/* libssh2 takes functions as void pointers, C does not: through memory. */
static void set_callback(LIBSSH2_SESSION *s, int which, void (*fn)(void)) {
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(s, which, fn);
#else
    void *p;
    memcpy(&p, &fn, sizeof p);
    libssh2_session_callback_set(s, which, p);
#endif
}

/* The ciphers that cost least come first, as in OpenSSH's own order; libssh2 would begin with the longest keys. Only
 * what it knows may be named: libssh2 1.10 takes other names out with a copy between overlapping places. */
static void prefer_light_ciphers(LIBSSH2_SESSION *s) {
    static const char *const light[] = {"aes128-gcm@openssh.com", "aes128-ctr"};
    const char **known = NULL;
    struct rt_buf list;
    const int n = libssh2_session_supported_algs(s, LIBSSH2_METHOD_CRYPT_CS, &known);
    rt_buf_init(&list, 0);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++) {
            const bool is_light = rt_streq(known[i], light[0]) || rt_streq(known[i], light[1]);
            if (is_light == (pass == 0))
                rt_buf_addf(&list, "%s%s", list.len ? "," : "", known[i]);
        }
    if (n > 0) {
        libssh2_session_method_pref(s, LIBSSH2_METHOD_CRYPT_CS, rt_buf_str(&list));
        libssh2_session_method_pref(s, LIBSSH2_METHOD_CRYPT_SC, rt_buf_str(&list));
        libssh2_free(s, known);
    }
    rt_buf_deinit(&list);
}

LIBSSH2_SESSION *rt_ssh_io_session(struct rt_ssh_io *io) {
    LIBSSH2_SESSION *s = libssh2_session_init_ex(NULL, NULL, NULL, io);
    if (!s)
        return NULL;
    set_callback(s, LIBSSH2_CALLBACK_RECV, (void (*)(void))on_recv);
    set_callback(s, LIBSSH2_CALLBACK_SEND, (void (*)(void))on_send);
    libssh2_session_set_blocking(s, 1);
    prefer_light_ciphers(s);
    return s;
}

void rt_ssh_io_deinit(struct rt_ssh_io *io) {
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
    free(io->in);
    free(io->out);
    io->in = io->out = NULL;
    io->in_len = io->in_off = 0;
    io->out_len = io->out_off = io->out_cap = 0;
}
