/* Who listens on a port, and a bind that takes no port away from others: both differ between
 * systems. */
#include "net/port.h"
#include "net/forward.h"

#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int bound_socket(in_addr_t address, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(address);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    /* A closed connection that lingers must not keep us from our own port. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* On BSD and macOS SO_REUSEADDR lets 127.0.0.1 be bound under a listener on all addresses, which
 * would then lose its loopback clients. Linux refuses that by itself. */
static bool wildcard_is_free(int port) {
#if defined(__linux__)
    (void)port;
    return true;
#else
    int fd = bound_socket(INADDR_ANY, port);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != EADDRINUSE;
#endif
}

int rt_port_listen(int port) {
    if (port > 0 && !wildcard_is_free(port)) {
        errno = EADDRINUSE;
        return -1;
    }
    int fd = bound_socket(INADDR_LOOPBACK, port);
    if (fd < 0 || listen(fd, 128) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool rt_port_free(int port) {
    int fd = rt_port_listen(port);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int rt_port_reserve(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = rt_port_free(port) ? socket(AF_INET, SOCK_DGRAM, 0) : -1;
    if (fd < 0 || (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0))
        return fd;
    close(fd);
    return -1;
}

#if defined(__linux__)
/* The inode of the socket that listens on the port, from a table of the kernel; 0 when there is
 * none. */
static unsigned long listening_inode(const char *table, int port) {
    char line[512];
    unsigned long found = 0;
    FILE *f = fopen(table, "re");
    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f)) {
        unsigned int local, state;
        unsigned long inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                   &local, &state, &inode) == 3 &&
            state == 0x0a && local == (unsigned int)port)
            found = inode;
    }
    fclose(f);
    return found;
}

static bool holds_socket(const char *pid, const char *wanted) {
    char path[600], link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *d = opendir(path);
    bool found = false;
    if (!d)
        return false;
    for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, e->d_name);
        ssize_t n = readlink(path, link, sizeof link - 1);
        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, wanted) == 0;
        }
    }
    closedir(d);
    return found;
}

static void name_process(const char *pid, char *out, size_t size) {
    char path[300], name[64] = "";
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fgets(name, sizeof name, f))
            name[strcspn(name, "\n")] = '\0';
        fclose(f);
    }
    char clean[64];
    snprintf(out, size, "pid %s (%s)", pid, rt_clean_to(clean, sizeof clean, name));
}

void rt_port_holder(int port, char *out, size_t size) {
    snprintf(out, size, "another process");
    unsigned long inode = listening_inode("/proc/net/tcp", port);
    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    DIR *d = inode ? opendir("/proc") : NULL;
    if (!d)
        return;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && holds_socket(e->d_name, wanted)) {
            name_process(e->d_name, out, size);
            break;
        }
    closedir(d);
}
#else
/* "p123\ncpython3\n" of `lsof -F pc`. */
static void read_lsof(const char *text, char *out, size_t size) {
    char pid[16] = "", name[64] = "";
    if (sscanf(text, "p%15[0-9]\nc%63[^\n]", pid, name) < 1)
        return;
    char clean[64];
    snprintf(out, size, "pid %s (%s)", pid, rt_clean_to(clean, sizeof clean, name));
}

static void run_lsof(int port, int to) {
    char what[32];
    snprintf(what, sizeof what, "-iTCP:%d", port);
    dup2(to, STDOUT_FILENO);
    close(STDERR_FILENO);
    execlp("lsof", "lsof", "-nP", what, "-sTCP:LISTEN", "-Fpc", (char *)NULL);
    _exit(127);
}

/* Asked only when a port is taken; lsof is given half a second. */
void rt_port_holder(int port, char *out, size_t size) {
    int fds[2];
    snprintf(out, size, "another process");
    if (pipe(fds) != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        run_lsof(port, fds[1]);
    close(fds[1]);
    char text[256] = "";
    size_t n = 0;
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    while (child > 0 && n < sizeof text - 1 && poll(&p, 1, 500) > 0) {
        ssize_t got = read(fds[0], text + n, sizeof text - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fds[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    read_lsof(text, out, size);
}
#endif
